//! The dialect of a rule's regular expression, and what can be read from one before it runs.

use regex_automata::meta;
use regex_syntax::ast::{self, Ast};
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::{Class, ClassBytesRange, ClassUnicodeRange, Hir, HirKind, Look, LookSet};
use regex_syntax::hir::{ClassBytes, ClassUnicode};

/// Ends a text wherever it stands: no rule matches it, so values can be scanned in one buffer
/// with this between them.
pub(crate) const SEPARATOR: u8 = 0x1e;

/// Longest source of one pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 8 * 1024;
/// Largest compiled program of one pattern, in bytes.
pub const PROGRAM_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest match of a pattern that can be scanned for together with all others, in bytes.
pub const MATCH_BYTES_MAX: usize = 4 * 1024;

/// A regular expression, parsed.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// What it matches.
    pub(crate) hir: Hir,
    /// What its `value` group matches, where it has one.
    pub(crate) value: Option<Hir>,
    /// Longest match in bytes; `None` where there is no bound.
    pub(crate) length_max: Option<usize>,
    /// It asks for a word boundary at its start.
    pub(crate) edge_start: bool,
    /// It asks for a word boundary at its end.
    pub(crate) edge_end: bool,
}

impl Pattern {
    /// Parses a rule's regular expression.
    ///
    /// `\d`, `\w`, `\s` and `\b` are ASCII; `^` and `$` are the edges of the text; nothing
    /// matches [`SEPARATOR`]. The message of an error says what would be right.
    pub(crate) fn parse(regex: &str) -> Result<Pattern, String> {
        Pattern::parse_with(regex, &|look| match look {
            Look::Start => Ok(Look::StartLF),
            Look::End => Ok(Look::EndLF),
            look => Ok(look),
        })
    }

    /// Parses a regular expression of a deny list, where `^` and `$` are the edges of words:
    /// it is meant for a whole cell and has to be found inside a sentence as well.
    pub(crate) fn parse_listed(regex: &str) -> Result<Pattern, String> {
        let mut pattern = Pattern::parse_with(regex, &|look| match look {
            Look::Start => Ok(Look::WordStartHalfAscii),
            Look::End => Ok(Look::WordEndHalfAscii),
            look => Ok(look),
        })?;
        pattern.value = None;
        Ok(pattern)
    }

    /// A text as it stands, not inside a longer word.
    pub(crate) fn literal(text: &str) -> Result<Pattern, String> {
        Pattern::parse_listed(&format!("^{}$", regex_syntax::escape(text)))
    }

    /// Compiles a search for it.
    ///
    /// # Errors
    /// A program larger than [`PROGRAM_BYTES_MAX`].
    pub(crate) fn regex(&self, config: meta::Config) -> Result<meta::Regex, String> {
        compile(&self.hir, config)
    }

    /// Compiles a test of whole texts: of the group `value` where there is one.
    ///
    /// # Errors
    /// A program larger than [`PROGRAM_BYTES_MAX`].
    pub(crate) fn whole(&self) -> Result<meta::Regex, String> {
        let inner = self.value.as_ref().unwrap_or(&self.hir).clone();
        let hir = Hir::concat(vec![Hir::look(Look::Start), inner, Hir::look(Look::End)]);
        compile(&hir, meta::Config::new())
    }

    fn parse_with(regex: &str, look: &LookMap) -> Result<Pattern, String> {
        if regex.len() > PATTERN_BYTES_MAX {
            return Err(format!(
                "the pattern is {} bytes long; {PATTERN_BYTES_MAX} are allowed",
                regex.len()
            ));
        }
        let mut ast = ast::parse::ParserBuilder::new()
            .nest_limit(NEST_MAX)
            .build()
            .parse(regex)
            .map_err(|error| describe(error.kind(), error.span().start.offset))?;
        ascii_classes(&mut ast);
        let hir = TranslatorBuilder::new()
            .utf8(true)
            .build()
            .translate(regex, &ast)
            .map_err(|error| describe(error.kind(), error.span().start.offset))?;
        let mut value = None;
        let hir = rebuild(&hir, look, &mut value)?;
        let properties = hir.properties();
        match properties.minimum_len() {
            None => return Err("the pattern can never match".to_owned()),
            Some(0) => return Err("the pattern matches the empty text".to_owned()),
            Some(_) => {}
        }
        if value.as_ref().is_some_and(|value| value.properties().minimum_len() == Some(0)) {
            return Err("the group `value` matches the empty text".to_owned());
        }
        Ok(Pattern {
            value,
            length_max: properties.maximum_len(),
            edge_start: asks_for_edge(properties.look_set_prefix_any()),
            edge_end: asks_for_edge(properties.look_set_suffix_any()),
            hir,
        })
    }
}

fn compile(hir: &Hir, config: meta::Config) -> Result<meta::Regex, String> {
    let config = config.line_terminator(SEPARATOR).nfa_size_limit(Some(2 * PROGRAM_BYTES_MAX));
    meta::Builder::new().configure(config).build_from_hir(hir).map_err(|error| {
        match error.size_limit() {
            Some(limit) => {
                format!("the pattern compiles to more than {limit} bytes; repeat fewer characters")
            }
            None => format!("the pattern does not compile: {error}"),
        }
    })
}

type LookMap = dyn Fn(Look) -> Result<Look, String>;

/// Deepest nesting of groups and repeats.
const NEST_MAX: u32 = 100;

fn describe(kind: &dyn std::fmt::Display, offset: usize) -> String {
    format!("the regex is not valid at byte {offset}: {kind}")
}

fn asks_for_edge(looks: LookSet) -> bool {
    looks.contains_word()
}

/// Makes `\d`, `\s` and `\w` ASCII, inside brackets too.
fn ascii_classes(ast: &mut Ast) {
    match ast {
        Ast::ClassPerl(class) => {
            let class = ascii_class(class);
            *ast = Ast::class_bracketed(class);
        }
        Ast::ClassBracketed(class) => ascii_set(&mut class.kind),
        Ast::Repetition(repetition) => ascii_classes(&mut repetition.ast),
        Ast::Group(group) => ascii_classes(&mut group.ast),
        Ast::Alternation(alternation) => alternation.asts.iter_mut().for_each(ascii_classes),
        Ast::Concat(concat) => concat.asts.iter_mut().for_each(ascii_classes),
        Ast::Empty(_)
        | Ast::Flags(_)
        | Ast::Literal(_)
        | Ast::Dot(_)
        | Ast::Assertion(_)
        | Ast::ClassUnicode(_) => {}
    }
}

fn ascii_set(set: &mut ast::ClassSet) {
    match set {
        ast::ClassSet::Item(item) => ascii_item(item),
        ast::ClassSet::BinaryOp(operation) => {
            ascii_set(&mut operation.lhs);
            ascii_set(&mut operation.rhs);
        }
    }
}

fn ascii_item(item: &mut ast::ClassSetItem) {
    match item {
        ast::ClassSetItem::Perl(class) => {
            *item = ast::ClassSetItem::Bracketed(Box::new(ascii_class(class)));
        }
        ast::ClassSetItem::Bracketed(class) => ascii_set(&mut class.kind),
        ast::ClassSetItem::Union(union) => union.items.iter_mut().for_each(ascii_item),
        ast::ClassSetItem::Empty(_)
        | ast::ClassSetItem::Literal(_)
        | ast::ClassSetItem::Range(_)
        | ast::ClassSetItem::Ascii(_)
        | ast::ClassSetItem::Unicode(_) => {}
    }
}

fn ascii_class(class: &ast::ClassPerl) -> ast::ClassBracketed {
    let ascii = match class.kind {
        ast::ClassPerlKind::Digit => ast::ClassAsciiKind::Digit,
        ast::ClassPerlKind::Space => ast::ClassAsciiKind::Space,
        ast::ClassPerlKind::Word => ast::ClassAsciiKind::Word,
    };
    let item = ast::ClassAscii { span: class.span, kind: ascii, negated: false };
    ast::ClassBracketed {
        span: class.span,
        negated: class.negated,
        kind: ast::ClassSet::Item(ast::ClassSetItem::Ascii(item)),
    }
}

/// The same expression in the dialect of rules; groups but `value` dissolve.
fn rebuild(hir: &Hir, look: &LookMap, value: &mut Option<Hir>) -> Result<Hir, String> {
    Ok(match hir.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => {
            if literal.0.contains(&SEPARATOR) {
                return Err("the pattern names U+001E, which ends a text".to_owned());
            }
            Hir::literal(literal.0.clone())
        }
        HirKind::Class(class) => Hir::class(rebuild_class(class)),
        HirKind::Look(kind) => Hir::look(rebuild_look(*kind, look)?),
        HirKind::Repetition(repetition) => {
            let mut repetition = repetition.clone();
            repetition.sub = Box::new(rebuild(&repetition.sub, look, value)?);
            Hir::repetition(repetition)
        }
        HirKind::Capture(capture) => {
            let sub = rebuild(&capture.sub, look, value)?;
            if capture.name.as_deref() != Some("value") {
                return Ok(sub);
            }
            // The syntax refuses a second group of one name.
            *value = Some(sub.clone());
            Hir::capture(regex_syntax::hir::Capture {
                index: 1,
                name: Some("value".into()),
                sub: Box::new(sub),
            })
        }
        HirKind::Concat(parts) => Hir::concat(rebuild_all(parts, look, value)?),
        HirKind::Alternation(parts) => Hir::alternation(rebuild_all(parts, look, value)?),
    })
}

fn rebuild_all(parts: &[Hir], look: &LookMap, value: &mut Option<Hir>) -> Result<Vec<Hir>, String> {
    parts.iter().map(|part| rebuild(part, look, value)).collect()
}

/// Without [`SEPARATOR`], and without the long s and the Kelvin sign that case folding adds to
/// `s` and `k` and that nobody means.
fn rebuild_class(class: &Class) -> Class {
    match class {
        Class::Unicode(class) => {
            let mut class = class.clone();
            let ranges = [char::from(SEPARATOR), 'ſ', '\u{212a}']
                .map(|character| ClassUnicodeRange::new(character, character));
            class.difference(&ClassUnicode::new(ranges));
            Class::Unicode(class)
        }
        Class::Bytes(class) => {
            let mut class = class.clone();
            class.difference(&ClassBytes::new([ClassBytesRange::new(SEPARATOR, SEPARATOR)]));
            Class::Bytes(class)
        }
    }
}

fn rebuild_look(kind: Look, look: &LookMap) -> Result<Look, String> {
    match kind {
        Look::StartLF | Look::EndLF | Look::StartCRLF | Look::EndCRLF => {
            Err("`(?m)^` and `(?m)$` are not supported; write `(?:^|\\n)` and `(?:$|\\n)`"
                .to_owned())
        }
        Look::WordUnicode => Ok(Look::WordAscii),
        Look::WordUnicodeNegate => Ok(Look::WordAsciiNegate),
        Look::WordStartUnicode => Ok(Look::WordStartAscii),
        Look::WordEndUnicode => Ok(Look::WordEndAscii),
        Look::WordStartHalfUnicode => Ok(Look::WordStartHalfAscii),
        Look::WordEndHalfUnicode => Ok(Look::WordEndHalfAscii),
        kind => look(kind),
    }
}
