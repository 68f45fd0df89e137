//! Telephone numbers by numbering plan.
//!
//! Country codes and lengths: ITU-T E.164 (11/2010) § 6.2, its annexed list of assigned country
//! codes, and the national plans the ITU publishes (ITU-T E.129). Lengths are those of the number
//! behind the country code, service numbers included; they are bounds, not whole plans.

/// Whether the text is a number in international form, `+` or `00` before the country code: the
/// code is assigned and the rest as long as the plan behind it allows.
///
/// A trunk zero is skipped as `(0)` and forgiven without brackets (`+49 0711 ...`), since people
/// write it. All digits alike is no number.
pub(super) fn international(text: &str) -> bool {
    // An extension is dialled after the call is answered.
    let text = text.split(['x', 'e', 'X', 'E']).next().unwrap_or_default();
    let number = Number::read(text);
    let digits = number.digits();
    let plus = text.trim_start_matches(['(', ' ']).starts_with('+');
    let rest = match digits {
        [0, 0, rest @ ..] if !plus => rest,
        _ if plus => digits,
        _ => return false,
    };
    if rest.len() > 16 || number.overflow {
        return false;
    }
    let Some((plan, national)) = plan_of(rest) else { return false };
    let national = match national {
        [0, behind @ ..] if !plan.leading_zero => behind,
        all => all,
    };
    let fits = (plan.min..=plan.max).contains(&national.len());
    // Area codes begin with 2 to 9; who writes +1 means it, so the rest may be any.
    let nanp = plan.code != 1 || national.first().is_some_and(|digit| *digit >= 2);
    fits && nanp && varied(national)
}

/// Whether the text, a number in national form that begins with the trunk zero, is shaped as
/// national plans shape them: eight to twelve digits, and not a date or an ISBN-10.
///
/// Covers AT, AU, BE, CH, DE, FR, GB, IT, JP, NL, PH, TR and plans like them.
pub(super) fn national(text: &str) -> bool {
    let number = Number::read(text);
    let (digits, groups) = (number.digits(), number.groups());
    if number.overflow || !matches!(digits, [0, second, ..] if *second != 0) {
        return false;
    }
    let count = digits.len();
    let date = groups.starts_with(&[2, 2, 4]) || groups == [2, 2, 2] || groups == [2, 4];
    let isbn = matches!(groups, [1, _, _, 1]) && isbn10(digits);
    let fits = match groups.first() {
        Some(1) => (9..=11).contains(&count) && groups.len() >= 3,
        Some(2) => (9..=11).contains(&count),
        _ => (8..=12).contains(&count),
    };
    fits && !date && !isbn && varied(digits)
}

/// Whether the text is a number of the North American Numbering Plan without its country code,
/// or with a leading 1: neither area nor exchange begins with 0 or 1 or is a service code (N11).
///
/// NANPA, 47 CFR § 52.7; ATIS-0300119 § 3.
pub(super) fn nanp(text: &str) -> bool {
    let number = Number::read(text);
    let national = match number.digits() {
        [1, rest @ ..] if rest.len() == 10 => rest,
        all => all,
    };
    nanp_digits(national) && varied(national)
}

/// Whether the text is a number of the North American Numbering Plan and an extension of up to six
/// digits behind it.
pub(super) fn extension(text: &str) -> bool {
    let number = Number::read(text);
    let digits = number.digits();
    !number.overflow
        && digits.split_at_checked(10).is_some_and(|(national, extension)| {
            nanp_digits(national) && (1..=6).contains(&extension.len())
        })
}

/// Whether the text could be a local or national number that begins with no trunk digit: 7 to 13
/// digits, no date, no address of a computer. For use next to a word that says so.
pub(super) fn loose(text: &str) -> bool {
    let number = Number::read(text);
    !number.overflow
        && (7..=13).contains(&number.n_digits)
        && varied(number.digits())
        && !super::calendar::date(text)
        && !super::device::ipv4(text)
}

fn nanp_digits(national: &[u8]) -> bool {
    let [a, b, c, d, e, f, _, _, _, _] = *national else { return false };
    a >= 2 && d >= 2 && (b, c) != (1, 1) && (e, f) != (1, 1)
}

/// Three different digits at least: plans hand out no number with fewer, forms are filled with them.
fn varied(digits: &[u8]) -> bool {
    (0..10u8).filter(|digit| digits.contains(digit)).count() >= 3
}

/// ISO 2108:2005, annex: weights 10 to 2, modulus 11 (a last X is not written in digits).
fn isbn10(digits: &[u8]) -> bool {
    let weights = (1..=10u32).rev();
    let sum: u32 =
        digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    digits.len() == 10 && sum.is_multiple_of(11)
}

fn plan_of(digits: &[u8]) -> Option<(&'static Plan, &[u8])> {
    // No country code is the beginning of another (E.164 § 6.2.1), so at most one length fits.
    (1..=3).find_map(|length| {
        let (code, national) = digits.split_at_checked(length)?;
        let code = code.iter().fold(0u16, |code, digit| code * 10 + u16::from(*digit));
        let place = PLANS.binary_search_by_key(&code, |plan| plan.code).ok()?;
        Some((&PLANS[place], national))
    })
}

/// Digits of a text and the lengths of the runs they stand in.
struct Number {
    digits: [u8; DIGITS_MAX],
    n_digits: usize,
    groups: [usize; GROUPS_MAX],
    n_groups: usize,
    overflow: bool,
}

impl Number {
    fn read(text: &str) -> Number {
        let mut number = Number {
            digits: [0; DIGITS_MAX],
            n_digits: 0,
            groups: [0; GROUPS_MAX],
            n_groups: 0,
            overflow: false,
        };
        let bytes = text.as_bytes();
        let mut inside = false;
        for (place, byte) in bytes.iter().enumerate() {
            // `(0)` is the trunk zero, dialled only at home.
            let trunk = *byte == b'0'
                && number.n_digits > 0
                && bytes.get(place + 1) == Some(&b')')
                && place.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'(');
            if !byte.is_ascii_digit() || trunk {
                inside = false;
                continue;
            }
            if number.n_digits == DIGITS_MAX || (!inside && number.n_groups == GROUPS_MAX) {
                number.overflow = true;
                break;
            }
            if !inside {
                number.n_groups += 1;
                inside = true;
            }
            number.groups[number.n_groups - 1] += 1;
            number.digits[number.n_digits] = byte - b'0';
            number.n_digits += 1;
        }
        number
    }

    fn digits(&self) -> &[u8] {
        &self.digits[..self.n_digits]
    }

    fn groups(&self) -> &[usize] {
        &self.groups[..self.n_groups]
    }
}

/// Fifteen digits (E.164 § 6.2.1), a prefix `00`, a forgiven trunk zero, and one to notice too many.
const DIGITS_MAX: usize = 19;
const GROUPS_MAX: usize = 12;

struct Plan {
    code: u16,
    min: usize,
    max: usize,
    /// Whether a number behind the country code may begin with 0 (closed plans that kept it).
    leading_zero: bool,
}

const fn plan(code: u16, min: usize, max: usize) -> Plan {
    Plan { code, min, max, leading_zero: false }
}

const fn zero(code: u16, min: usize, max: usize) -> Plan {
    Plan { code, min, max, leading_zero: true }
}

/// Sorted by code.
const PLANS: &[Plan] = &[
    plan(1, 10, 10),
    plan(7, 10, 10),
    plan(20, 8, 10),
    plan(27, 9, 10),
    plan(30, 10, 12),
    plan(31, 9, 11),
    plan(32, 8, 9),
    plan(33, 9, 9),
    plan(34, 9, 9),
    plan(36, 8, 9),
    zero(39, 6, 12),
    plan(40, 9, 9),
    plan(41, 9, 9),
    plan(43, 4, 13),
    plan(44, 9, 10),
    plan(45, 8, 8),
    plan(46, 7, 13),
    plan(47, 8, 8),
    plan(48, 9, 9),
    plan(49, 6, 13),
    plan(51, 8, 9),
    plan(52, 10, 11),
    plan(53, 6, 10),
    plan(54, 10, 11),
    plan(55, 10, 11),
    plan(56, 8, 11),
    plan(57, 8, 11),
    plan(58, 10, 10),
    plan(60, 8, 10),
    plan(61, 8, 10),
    plan(62, 8, 13),
    plan(63, 8, 11),
    plan(64, 8, 10),
    plan(65, 8, 11),
    plan(66, 8, 10),
    plan(81, 9, 11),
    plan(82, 8, 11),
    plan(84, 8, 10),
    plan(86, 7, 12),
    plan(90, 10, 10),
    plan(91, 10, 11),
    plan(92, 8, 12),
    plan(93, 9, 9),
    plan(94, 9, 9),
    plan(95, 7, 10),
    plan(98, 8, 10),
    plan(211, 9, 9),
    plan(212, 9, 9),
    plan(213, 8, 9),
    plan(216, 8, 8),
    plan(218, 8, 9),
    plan(220, 7, 7),
    plan(221, 9, 9),
    plan(222, 8, 8),
    plan(223, 8, 8),
    plan(224, 8, 9),
    zero(225, 8, 10),
    plan(226, 8, 8),
    plan(227, 8, 8),
    plan(228, 8, 8),
    zero(229, 8, 10),
    plan(230, 7, 8),
    plan(231, 7, 9),
    plan(232, 8, 8),
    plan(233, 9, 9),
    plan(234, 8, 11),
    plan(235, 8, 8),
    plan(236, 8, 8),
    plan(237, 8, 9),
    plan(238, 7, 7),
    plan(239, 7, 7),
    plan(240, 9, 9),
    zero(241, 7, 8),
    zero(242, 9, 9),
    plan(243, 7, 9),
    plan(244, 9, 9),
    plan(245, 7, 9),
    plan(246, 7, 7),
    plan(247, 4, 6),
    plan(248, 6, 7),
    plan(249, 9, 9),
    plan(250, 8, 9),
    plan(251, 9, 9),
    plan(252, 6, 9),
    plan(253, 8, 8),
    plan(254, 7, 10),
    plan(255, 7, 9),
    plan(256, 9, 9),
    plan(257, 8, 8),
    plan(258, 8, 9),
    plan(260, 9, 9),
    plan(261, 9, 9),
    plan(262, 9, 9),
    plan(263, 5, 10),
    plan(264, 8, 9),
    plan(265, 7, 9),
    plan(266, 8, 8),
    zero(267, 7, 10),
    zero(268, 8, 9),
    plan(269, 7, 7),
    plan(290, 4, 5),
    plan(291, 7, 7),
    plan(297, 7, 7),
    plan(298, 6, 6),
    plan(299, 6, 6),
    plan(350, 8, 8),
    plan(351, 9, 9),
    plan(352, 4, 11),
    plan(353, 7, 10),
    plan(354, 7, 9),
    plan(355, 6, 9),
    plan(356, 8, 8),
    plan(357, 8, 8),
    plan(358, 5, 12),
    plan(359, 6, 9),
    plan(370, 8, 8),
    plan(371, 8, 8),
    plan(372, 7, 10),
    plan(373, 8, 8),
    plan(374, 8, 8),
    plan(375, 6, 11),
    plan(376, 6, 9),
    plan(377, 8, 9),
    zero(378, 6, 10),
    zero(379, 6, 11),
    plan(380, 9, 10),
    plan(381, 6, 12),
    plan(382, 4, 12),
    plan(383, 8, 12),
    plan(385, 6, 9),
    plan(386, 5, 8),
    plan(387, 8, 9),
    plan(389, 8, 8),
    plan(420, 9, 12),
    plan(421, 6, 9),
    plan(423, 7, 9),
    plan(500, 5, 5),
    plan(501, 7, 11),
    plan(502, 8, 11),
    plan(503, 7, 11),
    plan(504, 8, 11),
    plan(505, 8, 8),
    plan(506, 8, 10),
    plan(507, 7, 11),
    plan(508, 6, 9),
    plan(509, 8, 8),
    plan(590, 9, 9),
    plan(591, 8, 9),
    plan(592, 7, 7),
    plan(593, 8, 11),
    plan(594, 9, 9),
    plan(595, 6, 11),
    plan(596, 9, 9),
    plan(597, 6, 7),
    plan(598, 7, 13),
    plan(599, 7, 8),
    plan(670, 7, 8),
    plan(672, 5, 6),
    plan(673, 7, 7),
    plan(674, 7, 7),
    plan(675, 7, 8),
    zero(676, 5, 7),
    plan(677, 5, 7),
    plan(678, 5, 7),
    plan(679, 7, 11),
    plan(680, 7, 7),
    plan(681, 6, 9),
    plan(682, 5, 5),
    plan(683, 4, 7),
    plan(685, 5, 10),
    plan(686, 5, 8),
    plan(687, 6, 6),
    plan(688, 5, 7),
    plan(689, 6, 9),
    plan(690, 4, 7),
    plan(691, 7, 7),
    plan(692, 7, 7),
    plan(800, 8, 8),
    plan(808, 8, 8),
    plan(850, 6, 10),
    plan(852, 5, 11),
    plan(853, 8, 8),
    plan(855, 8, 10),
    plan(856, 8, 10),
    plan(870, 9, 12),
    plan(878, 12, 12),
    plan(880, 6, 10),
    plan(881, 9, 10),
    plan(882, 7, 12),
    plan(883, 9, 12),
    plan(886, 7, 10),
    plan(888, 11, 11),
    plan(960, 7, 10),
    plan(961, 7, 8),
    plan(962, 8, 9),
    plan(963, 8, 9),
    plan(964, 8, 10),
    plan(965, 7, 8),
    plan(966, 8, 10),
    plan(967, 7, 9),
    plan(968, 7, 9),
    plan(970, 8, 10),
    plan(971, 5, 12),
    plan(972, 8, 12),
    plan(973, 8, 8),
    plan(974, 7, 11),
    plan(975, 7, 8),
    plan(976, 8, 10),
    plan(977, 8, 11),
    plan(979, 9, 9),
    plan(992, 9, 9),
    plan(993, 8, 8),
    plan(994, 9, 9),
    plan(995, 9, 9),
    plan(996, 9, 10),
    plan(997, 10, 10),
    plan(998, 9, 9),
];

#[cfg(test)]
mod tests {
    use super::{PLANS, extension, international, loose, nanp, national};
    use proptest::prelude::*;

    #[test]
    fn international_numbers() {
        for text in [
            "+49 40 69000123",
            "+49 (0) 40 69000-123",
            "+49 0711 2842222",
            "+49 (611) 949-2077",
            "0049 30 1234567",
            "(0031)6-24118820",
            "+32 (0)475 88 20 41",
            "+1 415 555 0132",
            "+39 06 678 4343",
            "+44 (20) 7123 4567",
            "+4915254599371",
            "+86 138 0013 8000",
            "+1-903-140-4508x769",
            "+ 972 2 991 3382",
        ] {
            assert!(international(text), "{text}");
        }
        for text in [
            "+0 123 456 789",
            "+999 123 456 789",
            "+1 015 555 0132",
            "+1 415 555 013",
            "+33 1 42 68 53",
            "+49 123",
            "+49 1234567890123456",
            "+44 0000 000000",
            "49 40 69000123",
            "+",
            "00",
        ] {
            assert!(!international(text), "{text}");
        }
    }

    #[test]
    fn national_numbers() {
        for text in [
            "0371.45 880 12",
            "0511 762 44 71 8",
            "0172 / 992 59 11",
            "(0203) 47 10 884",
            "0355 / 47 11 08-0",
            "0174/9464 308",
            "0 85 72 / 9 10 44",
            "01 42 68 53 00",
            "06-12345678",
            "06 2871 9930",
            "03 288 17 44",
            "020 7946 0123",
            "07700 900 284",
            "0151-2345678",
            "0532 123 45 67",
        ] {
            assert!(national(text), "{text}");
        }
        for text in [
            "01.11.2022",
            "01.11.22",
            "09-03-2024",
            "0-306-40615-2",
            "0123 45",
            "0000 000000",
            "0111 1111111",
            "00 12 34 56 78",
            "1234 567890",
            "0123 4567 8901 2345",
        ] {
            assert!(!national(text), "{text}");
        }
    }

    #[test]
    fn north_american_numbers() {
        for text in ["(212) 555-0123", "504-621-8927", "1-800-555-0199", "212.555.0123"] {
            assert!(nanp(text), "{text}");
        }
        for text in [
            "112-555-0123",
            "212-155-0123",
            "911-555-0123",
            "212-911-0123",
            "222-222-2222",
            "555-0123",
        ] {
            assert!(!nanp(text), "{text}");
        }
    }

    #[test]
    fn numbers_without_a_trunk_digit() {
        for text in ["612 34 56 78", "91 123 45 67", "555-0123", "22 123 45 67"] {
            assert!(loose(text), "{text}");
        }
        for text in
            ["2024-06-11", "11.06.2024", "192.0.2.41", "555-012", "111-1111", "1234 5678 9012 34"]
        {
            assert!(!loose(text), "{text}");
        }
        for text in ["504-621-8927 x12", "(212) 555-0123 ext. 4"] {
            assert!(extension(text), "{text}");
        }
        for text in ["504-621-8927", "104-621-8927 x12", "504-621-8927 x1234567"] {
            assert!(!extension(text), "{text}");
        }
    }

    #[test]
    fn country_codes_are_sorted_and_no_code_begins_another() {
        for pair in PLANS.windows(2) {
            assert!(pair[0].code < pair[1].code, "{}", pair[1].code);
        }
        for plan in PLANS {
            assert!(plan.min <= plan.max && plan.max <= 13, "{}", plan.code);
            for shorter in [plan.code / 10, plan.code / 100] {
                assert!(PLANS.iter().all(|other| other.code != shorter), "{}", plan.code);
            }
        }
    }

    proptest! {
        #[test]
        fn separators_do_not_matter(number in 1_000_000u64..999_999_999, gap in "[ ./-]") {
            let plain = format!("+4930{number}");
            let spaced = format!("+49{gap}30{gap}{number}");
            prop_assert_eq!(international(&plain), international(&spaced));
        }
    }
}
