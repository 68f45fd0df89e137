//! One spelling for words that differ only in case and accents.

use unicode_normalization::char::decompose_canonical;

/// Passes the folded form of `character` on: lower case, accents stripped, ligatures spelt out.
///
/// Combining marks fold to nothing.
pub(crate) fn fold_char(character: char, mut push: impl FnMut(char)) {
    if character.is_ascii() {
        return push(character.to_ascii_lowercase());
    }
    for lower in character.to_lowercase() {
        let spelt = match lower {
            'ß' => "ss",
            'æ' => "ae",
            'œ' => "oe",
            'ø' => "o",
            'ł' => "l",
            'đ' | 'ð' => "d",
            'þ' => "th",
            'ı' => "i",
            _ => "",
        };
        if spelt.is_empty() {
            decompose_canonical(lower, |part| {
                if !is_mark(part) {
                    push(part);
                }
            });
        } else {
            spelt.chars().for_each(&mut push);
        }
    }
}

/// [`fold_char`] over a text.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        fold_char(character, |part| folded.push(part));
    }
    folded
}

/// Whether two words would run into each other at this character: a letter outside ASCII of a
/// script that puts spaces between words, or a mark on one.
///
/// Han, kana, Hangul, Thai and their neighbours write numbers and words without a space between
/// them, so a number that touches them stands alone. So does one after `º` (as in `nº 7`).
pub(crate) fn joins_words(character: char) -> bool {
    match character {
        '\0'..='\x7f' | 'ª' | 'º' => false,
        '\u{e00}'..='\u{eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ffdc}'
        | '\u{20000}'..='\u{3ffff}' => false,
        _ => character.is_alphabetic() || is_mark(character),
    }
}

/// Whether the character is part of a word: ASCII letters, digits and `_`, and what
/// [`joins_words`].
pub(crate) fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || joins_words(character)
}

/// Combining diacritical marks.
pub(crate) fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_fold() {
        for (text, folded) in [
            ("IBAN", "iban"),
            ("Größe", "grosse"),
            ("E\u{301}tat", "etat"),
            ("ÉTAT", "etat"),
            ("Łódź", "lodz"),
            ("İstanbul", "istanbul"),
            ("身份证", "身份证"),
            ("Ταυτότητα", "ταυτοτητα"),
        ] {
            assert_eq!(fold(text), folded);
        }
    }

    #[test]
    fn only_spaced_scripts_join_words() {
        for character in ['é', 'Ж', 'ß', '\u{301}', 'א'] {
            assert!(joins_words(character), "{character}");
        }
        for character in ['a', '1', ' ', '号', '입', 'ค', 'º', '²', '–', '\u{1e}'] {
            assert!(!joins_words(character), "{character}");
        }
    }
}
