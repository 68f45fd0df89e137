//! What a finding is.

/// Index of an entity in the [`RuleSet`](crate::RuleSet) it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(pub(crate) u16);

/// Index of a rule in the [`RuleSet`](crate::RuleSet) it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub(crate) u16);

/// Why a span was believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// The rule has a check and the text passed it.
    pub validated: bool,
    /// Index of the context phrase (in the rule's `near` list) that stood near, if any.
    pub phrase: Option<u16>,
    /// Listed by the policy's deny list.
    pub listed: bool,
}

/// One finding, in bytes of the scanned text; `start < end`; both on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What it is.
    pub entity: EntityId,
    /// Which rule found it.
    pub rule: RuleId,
    /// Probability in `[0, 1]` that it is what the rule says.
    pub score: f32,
    /// Why.
    pub evidence: Evidence,
}
