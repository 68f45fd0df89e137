//! The known word a misspelt one was probably meant to be.

/// The known word nearest to `word`, where one is near enough to be a slip.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (distance(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= 1 + word.chars().count() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// ``, did you mean `word`?`` for the end of a message, or nothing.
pub(crate) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or_else(String::new, |word| format!("; the nearest is `{word}`"))
}

/// Edits (insert, delete, replace, swap neighbours) between two words: the restricted
/// Damerau-Levenshtein distance.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before = vec![0; right.len() + 1];
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for row in 1..=left.len() {
        let mut here = vec![row; right.len() + 1];
        for column in 1..=right.len() {
            let differs = usize::from(left[row - 1] != right[column - 1]);
            let mut best =
                (above[column] + 1).min(here[column - 1] + 1).min(above[column - 1] + differs);
            if row > 1
                && column > 1
                && left[row - 1] == right[column - 2]
                && left[row - 2] == right[column - 1]
            {
                best = best.min(before[column - 2] + 1);
            }
            here[column] = best;
        }
        before = std::mem::replace(&mut above, here);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognized_and_other_words_are_not() {
        let known = ["regex", "validate", "score"];
        assert_eq!(nearest("regexx", known), Some("regex"));
        assert_eq!(nearest("vaildate", known), Some("validate"));
        assert_eq!(nearest("SCORE", known), Some("score"));
        assert_eq!(nearest("header", known), None);
        assert_eq!(nearest("", known), None);
    }

    #[test]
    fn distances_are_edits() {
        for (left, right, edits) in [
            ("", "", 0),
            ("abc", "acb", 1),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("é", "e", 1),
        ] {
            assert_eq!(distance(left, right), edits, "{left} {right}");
        }
    }
}
