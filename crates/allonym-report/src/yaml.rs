//! YAML 1.2 as contracts are written: block style, every text in double quotes.
//!
//! A text in quotes is a text in YAML 1.1 too, where `NO` without them would be false.

use serde_json::Value;

/// A JSON value as a YAML document. Keys are written as they are: they must be plain words.
pub(crate) fn yaml(value: &Value) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    text
}

/// The members of a table or list, each on its line, from the place where the writer stands.
fn block(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(members) => {
            for (at, (key, member)) in members.iter().enumerate() {
                indent(if at == 0 { 0 } else { depth }, text);
                text.push_str(key);
                text.push(':');
                below(member, depth, text);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                indent(if at == 0 { 0 } else { depth }, text);
                text.push('-');
                match is_block(item) {
                    true => {
                        text.push(' ');
                        block(item, depth + 2, text);
                    }
                    false => below(item, depth, text),
                }
            }
        }
        other => {
            scalar(other, text);
            text.push('\n');
        }
    }
}

/// What stands behind a key: on the same line, or below it.
fn below(value: &Value, depth: usize, text: &mut String) {
    if is_block(value) {
        text.push('\n');
        indent(depth + 2, text);
        block(value, depth + 2, text);
    } else {
        text.push(' ');
        scalar(value, text);
        text.push('\n');
    }
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn indent(depth: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', depth));
}

fn scalar(value: &Value, text: &mut String) {
    let Value::String(words) = value else {
        // Numbers, truth values, null and what is empty look as in JSON.
        text.push_str(&value.to_string());
        return;
    };
    text.push('"');
    for c in words.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            // What breaks lines, turns their direction or cannot be seen.
            c if c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                text.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_are_blocks_of_quoted_texts() {
        let value = json!({
            "kind": "DataContract",
            "schema": [{"name": "a", "properties": [{"name": "NO"}, {"name": "b", "tags": []}]}],
            "value": 7,
            "rest": {"whole": {}, "none": null, "yes": true},
        });
        let expected = "\
kind: \"DataContract\"
schema:
  - name: \"a\"
    properties:
      - name: \"NO\"
      - name: \"b\"
        tags: []
value: 7
rest:
  whole: {}
  none: null
  yes: true
";
        assert_eq!(yaml(&value), expected);
    }

    #[test]
    fn no_text_leaves_its_quotes() {
        let value = json!({"a": "\"\\\n\u{85}\u{2028}\u{202e}: # - x"});
        assert_eq!(yaml(&value), "a: \"\\\"\\\\\\u000A\\u0085\\u2028\\u202E: # - x\"\n");
    }
}
