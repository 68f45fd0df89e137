//! A JSON text into tokens (RFC 8259), without a copy of anything.

use memchr::memchr2;

/// A piece of a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// Where it stands; a string with its quotes.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// For a string: it holds a backslash. For an opening bracket: unused.
    pub(crate) escaped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ObjectOpen,
    ArrayOpen,
    Close,
    Key,
    String,
    Number,
    Boolean,
    Null,
}

/// Why a text is no JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) what: &'static str,
    /// Bytes into the text.
    pub(crate) at: usize,
}

/// Takes one JSON object apart. `text` is valid UTF-8; white space around the object is allowed.
pub(crate) fn tokenize(text: &[u8], tokens: &mut Vec<Token>) -> Result<(), Flaw> {
    tokens.clear();
    let mut scan = Scan { text, at: 0 };
    scan.skip_white();
    if scan.peek() != Some(b'{') {
        return Err(scan.flaw("not a JSON object"));
    }
    // Whether each open bracket is that of an object.
    let mut open: Vec<bool> = Vec::new();
    loop {
        // A value is due here.
        let start = scan.at;
        let kind = match scan.peek() {
            Some(b'{') => Kind::ObjectOpen,
            Some(b'[') => Kind::ArrayOpen,
            Some(b'"') => Kind::String,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') => Kind::Null,
            Some(_) => return Err(scan.flaw(NOT_JSON)),
            None => return Err(scan.flaw(CUT_OFF)),
        };
        let mut escaped = false;
        match kind {
            Kind::ObjectOpen | Kind::ArrayOpen => scan.at += 1,
            Kind::String => escaped = scan.string()?,
            Kind::Number => scan.number()?,
            _ => scan.word(if text[start] == b't' {
                b"true"
            } else if text[start] == b'f' {
                b"false"
            } else {
                b"null"
            })?,
        }
        tokens.push(Token { kind, start, end: scan.at, escaped });
        scan.skip_white();
        let opened = matches!(kind, Kind::ObjectOpen | Kind::ArrayOpen);
        if opened {
            if open.len() == DEPTH_MAX {
                return Err(Flaw { what: "objects and arrays nest deeper than 128", at: start });
            }
            open.push(kind == Kind::ObjectOpen);
        }
        // What may follow: the first member, a comma, or closing brackets.
        let mut first = opened;
        loop {
            let Some(object) = open.last().copied() else {
                scan.skip_white();
                return match scan.peek() {
                    None => Ok(()),
                    Some(_) => Err(scan.flaw("text follows the object on its line")),
                };
            };
            let close = if object { b'}' } else { b']' };
            match scan.peek() {
                Some(byte) if byte == close => {
                    let start = scan.at;
                    scan.at += 1;
                    let end = scan.at;
                    tokens.push(Token { kind: Kind::Close, start, end, escaped: false });
                    open.pop();
                    first = false;
                    scan.skip_white();
                    continue;
                }
                Some(b',') if !first => {
                    scan.at += 1;
                    scan.skip_white();
                }
                Some(_) if first => {}
                Some(_) => return Err(scan.flaw(NOT_JSON)),
                None => return Err(scan.flaw(CUT_OFF)),
            }
            if object {
                let start = scan.at;
                if scan.peek() != Some(b'"') {
                    return Err(scan.flaw(NOT_JSON));
                }
                let escaped = scan.string()?;
                tokens.push(Token { kind: Kind::Key, start, end: scan.at, escaped });
                scan.skip_white();
                if scan.peek() != Some(b':') {
                    return Err(scan.flaw(NOT_JSON));
                }
                scan.at += 1;
                scan.skip_white();
            }
            break;
        }
    }
}

/// The content of a string token, escapes resolved.
pub(crate) fn unescape(text: &[u8], token: Token, into: &mut Vec<u8>) {
    let content = &text[token.start + 1..token.end - 1];
    if !token.escaped {
        into.extend_from_slice(content);
        return;
    }
    let mut rest = content;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        into.extend_from_slice(&rest[..at]);
        let (letter, mut length) = (rest[at + 1], 2);
        match letter {
            b'b' => into.push(0x08),
            b'f' => into.push(0x0C),
            b'n' => into.push(b'\n'),
            b'r' => into.push(b'\r'),
            b't' => into.push(b'\t'),
            b'u' => {
                let mut point = four_digits(&rest[at + 2..]).unwrap_or_default();
                length = 6;
                if (0xD800..0xDC00).contains(&point) {
                    let low = four_digits(&rest[at + 8..]).unwrap_or_default();
                    point = 0x1_0000 + ((point - 0xD800) << 10) + (low.max(0xDC00) - 0xDC00);
                    length = 12;
                }
                let letter = char::from_u32(point).expect("pairs were checked when tokenized");
                into.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => into.push(other),
        }
        rest = &rest[at + length..];
    }
    into.extend_from_slice(rest);
}

/// Whether a text is a number as JSON spells it.
pub(crate) fn is_number(text: &[u8]) -> bool {
    let mut scan = Scan { text, at: 0 };
    scan.number().is_ok() && scan.at == text.len()
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn flaw(&self, what: &'static str) -> Flaw {
        Flaw { what, at: self.at }
    }

    fn skip_white(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Flaw> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.flaw(NOT_JSON));
        }
        self.at += word.len();
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.flaw(NOT_JSON)) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<(), Flaw> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let zero = self.peek() == Some(b'0');
        let start = self.at;
        self.digits()?;
        if zero && self.at > start + 1 {
            return Err(Flaw { what: "a number starts with 0", at: start });
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Whether the string holds a backslash.
    fn string(&mut self) -> Result<bool, Flaw> {
        let open = self.at;
        self.at += 1;
        let mut escaped = false;
        loop {
            let rest = &self.text[self.at..];
            let Some(length) = memchr2(b'"', b'\\', rest) else {
                return Err(Flaw { what: "a string does not end on its line", at: open });
            };
            if let Some(control) = rest[..length].iter().position(|byte| *byte < 0x20) {
                let at = self.at + control;
                return Err(Flaw { what: "a control character in a string must be escaped", at });
            }
            self.at += length;
            if self.text[self.at] == b'"' {
                self.at += 1;
                return Ok(escaped);
            }
            escaped = true;
            self.escape()?;
        }
    }

    fn escape(&mut self) -> Result<(), Flaw> {
        let flaw = self.flaw("not a JSON escape");
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let point = four_digits(&self.text[self.at + 2..]).ok_or(flaw)?;
                self.at += 6;
                let half = Flaw { what: "a \\u escape is half of a surrogate pair", at: flaw.at };
                if (0xDC00..0xE000).contains(&point) {
                    return Err(half);
                }
                if (0xD800..0xDC00).contains(&point) {
                    let low = self.text[self.at..].strip_prefix(b"\\u").and_then(four_digits);
                    if !low.is_some_and(|low| (0xDC00..0xE000).contains(&low)) {
                        return Err(half);
                    }
                    self.at += 6;
                }
            }
            _ => return Err(flaw),
        }
        Ok(())
    }
}

fn four_digits(text: &[u8]) -> Option<u32> {
    let digits = text.get(..4)?;
    digits.iter().try_fold(0, |point, digit| Some(point << 4 | char::from(*digit).to_digit(16)?))
}

const NOT_JSON: &str = "not valid JSON";
const CUT_OFF: &str = "the object does not end on its line; JSON Lines holds one object a line";
/// Objects and arrays in one another.
pub(crate) const DEPTH_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<Kind> {
        let mut tokens = Vec::new();
        tokenize(text.as_bytes(), &mut tokens).unwrap();
        tokens.iter().map(|token| token.kind).collect()
    }

    #[test]
    fn objects_come_apart() {
        use Kind::{ArrayOpen, Boolean, Close, Key, Null, Number, ObjectOpen, String};
        assert_eq!(kinds(" {} \r"), [ObjectOpen, Close]);
        assert_eq!(
            kinds(r#"{"a": [1, "x", {}], "b":null,"c":true}"#),
            [
                ObjectOpen, Key, ArrayOpen, Number, String, ObjectOpen, Close, Close, Key, Null,
                Key, Boolean, Close
            ]
        );
    }

    #[test]
    fn escapes_are_resolved() {
        let check = |text: &str, expected: &str| {
            let text = format!("{{\"k\":\"{text}\"}}");
            let mut tokens = Vec::new();
            tokenize(text.as_bytes(), &mut tokens).unwrap();
            let mut content = Vec::new();
            unescape(text.as_bytes(), tokens[2], &mut content);
            assert_eq!(String::from_utf8(content).unwrap(), expected);
        };
        check("plain ä", "plain ä");
        check(r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t");
        check(r"\u00e4\u20AC x", "ä€ x");
        check(r"\ud83d\ude00!", "\u{1f600}!");
        check(r"\u0000", "\0");
    }

    #[test]
    fn flaws_are_told_by_place() {
        let check = |text: &str, what: &str, at| {
            let flaw = tokenize(text.as_bytes(), &mut Vec::new()).unwrap_err();
            assert!(flaw.what.contains(what), "{text}: {flaw:?}");
            assert_eq!(flaw.at, at, "{text}");
        };
        check("", "not a JSON object", 0);
        check("[1]", "not a JSON object", 0);
        check("{\"a\":1", "does not end", 6);
        check("{\"a\"", "not valid", 4);
        check("{\"a\":}", "not valid", 5);
        check("{a:1}", "not valid", 1);
        check("{\"a\":1,}", "not valid", 7);
        check("{,}", "not valid", 1);
        check("{\"a\":[1,]}", "not valid", 8);
        check("{\"a\":[1}", "not valid", 7);
        check("{\"a\":01}", "starts with 0", 5);
        check("{\"a\":1.}", "not valid", 7);
        check("{\"a\":1e}", "not valid", 7);
        check("{\"a\":+1}", "not valid", 5);
        check("{\"a\":nul}", "not valid", 5);
        check("{\"a\":NaN}", "not valid", 5);
        check("{\"a\":\"x}", "string does not end", 5);
        check("{\"a\":\"\t\"}", "control character", 6);
        check(r#"{"a":"\x"}"#, "not a JSON escape", 6);
        check(r#"{"a":"\u12"}"#, "not a JSON escape", 6);
        check(r#"{"a":"\ud83d"}"#, "surrogate", 6);
        check(r#"{"a":"\ude00"}"#, "surrogate", 6);
        check(r#"{"a":"\ud83d\u0041"}"#, "surrogate", 6);
        check("{} {}", "text follows", 3);
        check("{}x", "text follows", 2);
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |depth: usize| {
            format!(
                "{}{}{}",
                "{\"a\":".to_owned() + &"[".repeat(depth - 1),
                "]".repeat(depth - 1),
                "}"
            )
        };
        assert_eq!(tokenize(nested(128).as_bytes(), &mut Vec::new()), Ok(()));
        let flaw = tokenize(nested(129).as_bytes(), &mut Vec::new()).unwrap_err();
        assert_eq!(flaw.what, "objects and arrays nest deeper than 128");
    }

    #[test]
    fn numbers_are_json_numbers() {
        let check = |text: &str, expected| assert_eq!(is_number(text.as_bytes()), expected);
        for text in ["0", "-0", "1e400", "12345678901234567890123", "-1.5E+3", "0.10"] {
            check(text, true);
        }
        for text in ["", "-", "00", "01", "1.", ".5", "+1", "1e", "0x1", "NaN", "1 ", " 1", "1,5"] {
            check(text, false);
        }
    }

    proptest! {
        #[test]
        fn what_passes_is_what_passes_elsewhere(
            text in r#"\{("[a\\"u0d8é]{0,6}"|[\[\]{},: 01.eE+-]|true|null|\\){0,12}\}"#
        ) {
            let ours = tokenize(text.as_bytes(), &mut Vec::new()).is_ok();
            let theirs = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text);
            // Numbers beyond a double are JSON, but not to serde_json.
            let too_large = theirs.as_ref().is_err_and(|error| error.to_string().contains("range"));
            prop_assert_eq!(ours, theirs.is_ok() || too_large);
        }

        #[test]
        fn strings_unescape_as_elsewhere(content in any::<String>()) {
            let text = format!("{{\"k\":{}}}", serde_json::to_string(&content).unwrap());
            let mut tokens = Vec::new();
            tokenize(text.as_bytes(), &mut tokens).unwrap();
            let mut unescaped = Vec::new();
            unescape(text.as_bytes(), tokens[2], &mut unescaped);
            prop_assert_eq!(String::from_utf8(unescaped).unwrap(), content);
        }
    }
}
