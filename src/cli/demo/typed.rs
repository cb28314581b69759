//! The lines a newcomer types, read beside everything else. What they mean is not decided here.

use std::{
    io::{self, BufRead, Read},
    thread,
};

use tokio::sync::mpsc;

/// Bytes of a line; what is longer is left out.
const LINE_BYTES_MAX: u64 = 4096;

/// Lines that may wait.
const LINES_MAX: usize = 64;

/// Reads standard input in a thread of its own, until it ends or nobody listens.
pub fn lines() -> mpsc::Receiver<String> {
    let (heard, lines) = mpsc::channel(LINES_MAX);
    // A machine that gives no thread gives a demo to look at only.
    let reader = thread::Builder::new().name("typed".to_string());
    drop(reader.spawn(move || read(io::stdin().lock(), |line| heard.blocking_send(line).is_ok())));
    lines
}

/// Every line that says something, without the blanks around it; stops when `take` says no.
fn read(mut input: impl BufRead, mut take: impl FnMut(String) -> bool) {
    let mut bytes = Vec::new();
    let mut is_rest = false;
    loop {
        bytes.clear();
        match Read::take(&mut input, LINE_BYTES_MAX).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let ends = bytes.last() == Some(&b'\n');
        let is_whole = ends || (bytes.len() as u64) < LINE_BYTES_MAX;
        let line = String::from_utf8_lossy(&bytes).trim().to_string();
        if is_whole && !is_rest && !line.is_empty() && !take(line) {
            return;
        }
        is_rest = !is_whole;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(input: &[u8], lines_max: usize) -> Vec<String> {
        let mut lines = Vec::new();
        read(input, |line| {
            lines.push(line);
            lines.len() < lines_max
        });
        lines
    }

    #[test]
    fn lines_that_say_something_are_heard() {
        let long = "x".repeat(10_000);
        let fits = "x".repeat(4095);
        let cases: [(&str, &[&str]); 6] = [
            ("", &[]),
            ("\n \n\r\n", &[]),
            ("/ticket 7\r\n  帮助 \n", &["/ticket 7", "帮助"]),
            ("no end", &["no end"]),
            (&format!("{long}\nnext\n"), &["next"]),
            (&format!("{fits}\nnext"), &[&fits, "next"]),
        ];
        for (input, expected) in cases {
            assert_eq!(heard(input.as_bytes(), 9), expected);
        }
        assert_eq!(heard(b"a\xff\n", 9), ["a\u{fffd}"]);
        assert_eq!(heard(b"a\nb\nc\n", 2), ["a", "b"], "nobody listens any more");
    }
}
