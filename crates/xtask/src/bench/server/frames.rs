//! Reads a response as it comes: the head, chunks, and in them the frames of an event stream.

use anyhow::{Result, bail, ensure};

/// The longest head that is read.
const LONGEST_HEAD: usize = 8 * 1024;
/// Of a line, what tells what it is.
const TOLD: usize = 16;

/// What a frame is to the client. Comments are nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Frame {
    Token,
    /// Another event of the log.
    Event,
    /// `data: [DONE]`.
    End,
}

/// Where one response is.
#[derive(Debug)]
pub(super) struct Frames {
    part: Part,
    line: [u8; TOLD],
    length: usize,
    frame: Option<Frame>,
}

#[derive(Debug)]
enum Part {
    Head(Vec<u8>),
    /// In the line that says how long the chunk is; the number so far.
    Size(usize),
    /// So many bytes are left of the chunk.
    Data(usize),
    /// After the last chunk.
    Nothing,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self { part: Part::Head(Vec::new()), line: [0; TOLD], length: 0, frame: None }
    }

    /// Takes the next bytes of a response and says what frames end in them.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut tell: impl FnMut(Frame)) -> Result<()> {
        while let Some((&byte, rest)) = bytes.split_first() {
            match &mut self.part {
                Part::Head(head) => {
                    head.push(byte);
                    ensure!(head.len() < LONGEST_HEAD, "the response's head does not end");
                    if head.ends_with(b"\r\n\r\n") {
                        check(head)?;
                        self.part = Part::Size(0);
                    }
                }
                Part::Size(size) => match (byte, char::from(byte).to_digit(16)) {
                    (_, Some(digit)) => *size = (*size << 4) | digit as usize,
                    // What ended the chunk before.
                    (b'\r', None) => {}
                    (b'\n', None) if *size > 0 => self.part = Part::Data(*size),
                    (b'\n', None) => {}
                    _ => bail!("a chunk's length is not a number"),
                },
                Part::Data(left) => {
                    let (data, after) = bytes.split_at(bytes.len().min(*left));
                    *left -= data.len();
                    if *left == 0 {
                        self.part = Part::Size(0);
                    }
                    data.iter().for_each(|byte| self.text(*byte, &mut tell));
                    if matches!(self.part, Part::Nothing) {
                        return Ok(());
                    }
                    bytes = after;
                    continue;
                }
                Part::Nothing => return Ok(()),
            }
            bytes = rest;
        }
        Ok(())
    }

    fn text(&mut self, byte: u8, tell: &mut impl FnMut(Frame)) {
        if byte != b'\n' {
            if let Some(place) = self.line.get_mut(self.length) {
                *place = byte;
            }
            self.length += 1;
            return;
        }
        let line = self.line.get(..self.length).unwrap_or(&self.line);
        if line.is_empty() {
            if let Some(frame) = self.frame.take() {
                if frame == Frame::End {
                    self.part = Part::Nothing;
                }
                tell(frame);
            }
        } else if line == b"event: token" {
            self.frame = Some(Frame::Token);
        } else if line.starts_with(b"event: ") {
            self.frame = Some(Frame::Event);
        } else if line == b"data: [DONE]" {
            self.frame = Some(Frame::End);
        }
        self.length = 0;
    }
}

fn check(head: &[u8]) -> Result<()> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    ensure!(head.starts_with("http/1.1 200 "), "the server answers `{}`", head.lines().next().unwrap_or_default());
    ensure!(head.contains("transfer-encoding: chunked"), "the response is not a stream");
    Ok(())
}

/// The request for an answer of so many tokens, with a pause before each but the first.
pub(super) fn request(tokens: usize, delay: u64) -> Vec<u8> {
    let body = format!(r#"{{"message":"/tokens {tokens} /delay {delay} "}}"#);
    let length = body.len();
    let head = format!(
        "POST /chat HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    );
    (head + &body).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn frames_are_seen_wherever_the_bytes_are_cut() {
        let response = HEAD.to_owned()
            + "8\r\n: open\n\n\r\n1d\r\nid: 1\nevent: input\ndata: {}\n\n\r\n"
            + "e\r\nid: 2\nevent: t\r\n1d\r\noken\ndata: {}\n\nid: 3\nevent: t\r\n1c\r\noken\ndata: {}\n\ndata: [DONE]\n\r\n1\r\n\n\r\n0\r\n\r\n";
        let expected = [Frame::Event, Frame::Token, Frame::Token, Frame::End];
        for size in 1..response.len() {
            let (mut frames, mut seen) = (Frames::new(), Vec::new());
            for piece in response.as_bytes().chunks(size) {
                frames.feed(piece, |frame| seen.push(frame)).unwrap();
            }
            assert_eq!(seen, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_refusal_is_an_error() {
        let mut frames = Frames::new();
        let error = frames.feed(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", |_| {}).unwrap_err();
        assert!(error.to_string().contains("503"), "{error}");
    }
}
