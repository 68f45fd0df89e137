//! Stable codes of complaints, and what `explain` says of them.

/// Explains a code of this crate; `None` when it is not one.
///
/// ```
/// assert!(allonym_core::explain("ALO-P003").is_some());
/// assert!(allonym_core::explain("ALO-X999").is_none());
/// ```
#[must_use]
pub fn explain(code: &str) -> Option<&'static str> {
    EXPLANATIONS.iter().find(|(known, _)| *known == code).map(|(_, text)| *text)
}

pub(crate) const SYNTAX: &str = "ALO-P001";
pub(crate) const UNKNOWN_KEY: &str = "ALO-P002";
pub(crate) const UNLISTED: &str = "ALO-P003";
pub(crate) const TYPE: &str = "ALO-P004";
pub(crate) const VALUE: &str = "ALO-P005";
pub(crate) const VERSION: &str = "ALO-P006";
pub(crate) const TREATMENT: &str = "ALO-P007";
pub(crate) const FOREIGN_OPTION: &str = "ALO-P008";
pub(crate) const MISSING: &str = "ALO-P009";
pub(crate) const ABSENT: &str = "ALO-P010";
pub(crate) const CONFLICT: &str = "ALO-P011";
pub(crate) const UNFIT: &str = "ALO-P012";
pub(crate) const JOIN: &str = "ALO-P013";
pub(crate) const COLLISION: &str = "ALO-P014";
pub(crate) const KEPT_PERSONAL: &str = "ALO-P015";
pub(crate) const DUPLICATE: &str = "ALO-P016";
pub(crate) const ENTITY: &str = "ALO-P017";
pub(crate) const NO_KEYRING: &str = "ALO-K001";
pub(crate) const KEY_STATE: &str = "ALO-P018";
pub(crate) const FLOOR: &str = "ALO-P019";

const EXPLANATIONS: &[(&str, &str)] = &[
    (SYNTAX, "the policy file is not TOML, or is too large to be one"),
    (
        UNKNOWN_KEY,
        "the policy has a key nobody reads; a misspelt option would otherwise be ignored in silence",
    ),
    (
        UNLISTED,
        "the data has a column the policy does not list; nobody decided what shall happen to it, so nothing is written",
    ),
    (TYPE, "a value of the policy has the wrong type"),
    (VALUE, "a value of the policy is not one that is allowed there"),
    (VERSION, "the policy does not say `version = 1`"),
    (TREATMENT, "`treat` names no treatment"),
    (FOREIGN_OPTION, "an option belongs to another treatment and would have no effect here"),
    (MISSING, "something the policy must say is missing"),
    (
        ABSENT,
        "the policy names a column the data does not have; a renamed column would otherwise go untreated",
    ),
    (CONFLICT, "two entries of the policy claim one column and neither is more exact"),
    (
        UNFIT,
        "the treatment does not fit the type of the column; a float, for one, is no id, since 123 and 123.0 would get different tokens",
    ),
    (
        JOIN,
        "columns that are to join differ in profile, format or consistency, so that their tokens would never be equal",
    ),
    (COLLISION, "with that many distinct values two of them may well get one token"),
    (KEPT_PERSONAL, "a column judged personal is kept without a reason"),
    (DUPLICATE, "two columns of the data have one name, so that the policy cannot tell them apart"),
    (ENTITY, "the policy names an entity that no rule knows"),
    (
        NO_KEYRING,
        "the policy makes tokens and there is no keyring; a new key would break joins with earlier outputs, so none is made in silence",
    ),
    (
        KEY_STATE,
        "the policy names a key that was replaced; it is kept for look-ups and erasure and makes no new tokens",
    ),
    (
        FLOOR,
        "a statutory floor can end after the period it stands under, so that data would be deleted that must be kept",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_explained() {
        for (n, (code, text)) in EXPLANATIONS.iter().enumerate() {
            assert!(EXPLANATIONS.iter().skip(n + 1).all(|(other, _)| other != code), "{code}");
            assert!(text.len() > 20 && !text.ends_with('.'), "{code}");
            assert_eq!(explain(code), Some(*text));
        }
        assert_eq!(explain("ALO-P000"), None);
    }
}
