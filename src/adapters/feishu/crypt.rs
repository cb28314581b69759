//! The platform's encryption and signature of callbacks (`facts/feishu.md §5.3, §5.4`). Never a panic on any input.

use aes::cipher::{BlockModeDecrypt as _, KeyIvInit as _, block_padding::Pkcs7};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Bytes of the initial vector, and of a block.
const IV_BYTES: usize = 16;

/// The plain text of an `encrypt` value; nothing if the key is another one or the text is damaged.
pub(super) fn decrypt(key: &SecretString, encrypted: &str) -> Option<Vec<u8>> {
    let blob = BASE64_STANDARD.decode(encrypted.trim()).ok()?;
    let (iv, sealed) = blob.split_first_chunk::<IV_BYTES>()?;
    let key: [u8; 32] = Sha256::digest(key.expose_secret()).into();
    cbc::Decryptor::<aes::Aes256>::new(&key.into(), &(*iv).into()).decrypt_padded_vec::<Pkcs7>(sealed).ok()
}

/// Whether `signature` is the hash of timestamp, nonce, key and the body as received: in constant time, in either case
/// of letters.
pub(super) fn is_signed(key: &SecretString, timestamp: &[u8], nonce: &[u8], body: &[u8], signature: &[u8]) -> bool {
    is_hash_of::<Sha256>(key, timestamp, nonce, body, signature)
}

/// The same for the old form of clicks: SHA-1, with the verification token where the key stands.
pub(super) fn is_signed_flat(token: &SecretString, ts: &[u8], nonce: &[u8], body: &[u8], signature: &[u8]) -> bool {
    is_hash_of::<Sha1>(token, ts, nonce, body, signature)
}

fn is_hash_of<D: Digest>(key: &SecretString, timestamp: &[u8], nonce: &[u8], body: &[u8], signature: &[u8]) -> bool {
    let mut hash = D::new();
    hash.update(timestamp);
    hash.update(nonce);
    hash.update(key.expose_secret());
    hash.update(body);
    let expected: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    expected.as_bytes().ct_eq(&signature.to_ascii_lowercase()).into()
}

/// Whether two secrets are the same, in constant time.
pub(super) fn is_same(secret: &SecretString, given: &str) -> bool {
    secret.expose_secret().as_bytes().ct_eq(given.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str =
        "AAECAwQFBgcICQoLDA0OD6alpwIsMFbSsWTHppjb1mE7o8oW7T8vJ7C6kV8w75gu/s+0c6FUAdSg8/t/lI4Ez2ocgdCAS0cvWqC+SZL1LmQ=";

    #[test]
    fn what_the_platform_encrypts_is_read() {
        let key = SecretString::from("test key");
        let official = decrypt(&key, "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=").unwrap();
        assert_eq!(official, b"hello world");
        let ours = decrypt(&key, OURS).unwrap();
        assert_eq!(ours, br#"{"challenge":"abc","token":"v","type":"url_verification"}"#);
    }

    #[test]
    fn damage_is_refused_without_a_panic() {
        let key = SecretString::from("test key");
        assert_eq!(decrypt(&SecretString::from("another key"), OURS), None);
        for end in 0..OURS.len() {
            assert_eq!(decrypt(&key, OURS.get(..end).unwrap()), None, "cut at {end}");
        }
        for bad in ["", "====", "not base64!", "AAAA", "AAECAwQFBgcICQoLDA0ODw=="] {
            assert_eq!(decrypt(&key, bad), None, "{bad}");
        }
    }

    #[test]
    fn the_signature_is_the_platform_s() {
        let key = SecretString::from("test key");
        let body = format!(r#"{{"encrypt":"{OURS}"}}"#);
        let signature = "e45da0bf1239329415b05cd9fea9d95c2cf256cac7610f42a340b72a4d305694";
        let signed = |body: &str, signature: &str| {
            is_signed(&key, b"1700000000", b"nonce1", body.as_bytes(), signature.as_bytes())
        };
        assert!(signed(&body, signature));
        assert!(signed(&body, &signature.to_uppercase()));
        assert!(!signed(&format!("{body} "), signature));
        assert!(!signed(&body, signature.get(1..).unwrap()));
        assert!(!signed(&body, ""));
    }
}
