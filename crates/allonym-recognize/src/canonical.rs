//! Canonical JSON (RFC 8785) and its digest.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// SHA-256 of the canonical form, in lower-case hex.
pub(crate) fn digest(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("strings take all");
        hex
    })
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|left, right| left.0.encode_utf16().cmp(right.0.encode_utf16()));
            out.push('{');
            for (place, (name, member)) in members.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_value(out, &Value::from(name.as_str()));
                out.push(':');
                write_value(out, member);
            }
            out.push('}');
        }
        // ECMAScript writes whole numbers without a fraction; others in rules lie in (0, 1),
        // where the shortest form is the same.
        Value::Number(number) => match number.as_f64() {
            Some(whole) if whole.fract() == 0.0 => {
                write!(out, "{whole:.0}").expect("strings take all");
            }
            _ => out.push_str(&number.to_string()),
        },
        // serde_json escapes exactly what RFC 8785 asks for, in the same short forms.
        Value::String(_) | Value::Bool(_) | Value::Null => out.push_str(&value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn canonical(value: &Value) -> String {
        let mut text = String::new();
        write_value(&mut text, value);
        text
    }

    #[test]
    fn keys_are_sorted_by_utf16() {
        // RFC 8785, 3.2.3.
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet",
            "1": "One", "\u{1f600}": "Smiley", "\u{80}": "Control", "\u{f6}": "O Umlaut",
        });
        let text = canonical(&value);
        let order: Vec<_> =
            ["Carriage Return", "One", "Control", "O Umlaut", "Euro Sign", "Smiley", "Hebrew"]
                .iter()
                .map(|word| text.find(word).expect(word))
                .collect();
        assert!(order.is_sorted(), "{text}");
    }

    #[test]
    fn scalars_are_written_as_ecmascript_does() {
        for (value, text) in [
            (json!(1.0), "1"),
            (json!(0.0), "0"),
            (json!(0.95), "0.95"),
            (json!(60), "60"),
            (json!("\u{8}\t\n\u{c}\r\"\\\u{f}é"), r#""\b\t\n\f\r\"\\\u000fé""#),
            (json!([null, true, []]), "[null,true,[]]"),
        ] {
            assert_eq!(canonical(&value), text);
        }
    }

    #[test]
    fn the_digest_is_sha256() {
        assert_eq!(
            digest(&json!({})),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
    }
}
