//! How events are encrypted and signed on the platform's side (`facts/feishu.md §5.3, §5.4`).

use aes::Aes256;
use base64::{Engine, engine::general_purpose::STANDARD};
use cbc::{
    Encryptor,
    cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// `{"encrypt": …}` around a text: AES-256-CBC under the hash of the key, the vector in front.
pub fn encrypted(encrypt_key: &str, vector: [u8; 16], plain: &str) -> String {
    let key = Sha256::digest(encrypt_key.as_bytes());
    let cipher = Encryptor::<Aes256>::new(&key, &vector.into());
    let mut sealed = vector.to_vec();
    sealed.extend(cipher.encrypt_padded_vec::<Pkcs7>(plain.as_bytes()));
    json!({ "encrypt": STANDARD.encode(sealed) }).to_string()
}

/// The signature header: the hash of timestamp, nonce, key and the body as sent.
pub fn signature(timestamp: &str, nonce: &str, encrypt_key: &str, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in [timestamp.as_bytes(), nonce.as_bytes(), encrypt_key.as_bytes(), body] {
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The headers of a click in the old form: SHA-1, with the verification token where the key stands.
pub(crate) fn flat_headers(token: &str, nonce: &str, body: &str, now_ms: i64) -> Vec<(String, String)> {
    let timestamp = (now_ms / 1000).to_string();
    let digest = Sha1::digest(format!("{timestamp}{nonce}{token}{body}"));
    let signature: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let header = |name: &str, value: &str| (name.to_string(), value.to_string());
    vec![
        header("X-Lark-Request-Timestamp", &timestamp),
        header("X-Lark-Request-Nonce", nonce),
        header("X-Lark-Signature", &signature),
    ]
}

/// The `sign` of a custom bot: the text is the key, and nothing is the message (`facts/feishu.md §4`).
pub fn hook_sign(timestamp: &str, secret: &str) -> String {
    let key = format!("{timestamp}\n{secret}");
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length is taken");
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use crate::sim::seal::{encrypted, hook_sign, signature};

    const PLAIN: &str = r#"{"challenge":"abc","token":"v","type":"url_verification"}"#;
    const SEALED: &str = concat!(
        r#"{"encrypt":"AAECAwQFBgcICQoLDA0OD6alpwIsMFbSsWTHppjb1mE7o8oW7T8vJ7C6kV8w75gu/s+0c6FUAdSg8/t/"#,
        r#"lI4Ez2ocgdCAS0cvWqC+SZL1LmQ="}"#
    );

    #[test]
    fn encryption_gives_the_known_text() {
        let vector = std::array::from_fn(|place| u8::try_from(place).unwrap());
        assert_eq!(encrypted("test key", vector, PLAIN), SEALED);
    }

    #[test]
    fn signature_gives_the_known_hash() {
        assert_eq!(
            signature("1700000000", "nonce1", "test key", SEALED.as_bytes()),
            "e45da0bf1239329415b05cd9fea9d95c2cf256cac7610f42a340b72a4d305694"
        );
    }

    #[test]
    fn hook_sign_gives_the_known_text() {
        assert_eq!(hook_sign("1599360473", "demo"), "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=");
        assert_eq!(hook_sign("1716283459", "dGhpcyBpcyBhIGtleQ=="), "8EyY+xxfJvzWjZQpdc2mgvQFaG7lF5nbxl7RITyMkJU=");
    }
}
