//! Asia and the Pacific.

use crate::validate::arithmetic::{
    alnum, digits, exactly, iso7064_mod11_2, luhn, value, value36, verhoeff, weighted_cross_sum,
    weighted_mod, weighted_sum,
};
use crate::validate::calendar::{is_date, is_date_of_any_century};

/// ABN of an Australian business: eleven digits; the first less 1, weights 10, 1, 3, 5 to 19, a
/// multiple of 89.
///
/// Australian Business Register, Format of the ABN.
pub(super) fn au_abn(text: &str) -> bool {
    exactly::<11>(digits(text)).is_some_and(|n| {
        // The weight of the first digit is 10, so 10 less.
        let sum = weighted_sum(n, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) + 89 - 10;
        n[0] != 0 && sum.is_multiple_of(89)
    })
}

/// ACN of an Australian company: eight digits, weights 8 to 1, and what they lack to a multiple of 10.
///
/// ASIC, Australian Company Number digit check.
pub(super) fn au_acn(text: &str) -> bool {
    exactly::<9>(digits(text))
        .is_some_and(|n| value(&n) != 0 && weighted_mod(n, &[8, 7, 6, 5, 4, 3, 2, 1, 1], 10) == 0)
}

/// Medicare number of Australia: 2 to 6, seven digits, check digit under weights 1, 3, 7, 9, 1, 3,
/// 7, 9 modulo 10, issue number, and perhaps the person's place on the card.
///
/// Services Australia; `METeOR` 270101 (Medicare card number).
pub(super) fn au_medicare(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    (10..=11).contains(&n.len())
        && matches!(n[0], 2..=6)
        && n[9] != 0
        && weighted_mod(n.iter().copied(), &[1, 3, 7, 9, 1, 3, 7, 9], 10) == u32::from(n[8])
}

/// TFN of Australia: nine digits, weights 1, 4, 3, 7, 5, 8, 6, 9, 10, or eight, weights 10, 7, 8, 4,
/// 6, 3, 5, 1, a multiple of 11.
///
/// Australian Taxation Office, TFN algorithm in the electronic reporting specifications.
pub(super) fn au_tfn(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    let weights: &[u32] = match n.len() {
        8 => &[10, 7, 8, 4, 6, 3, 5, 1],
        9 => &[1, 4, 3, 7, 5, 8, 6, 9, 10],
        _ => return false,
    };
    value(&n) != 0 && weighted_mod(n.iter().copied(), weights, 11) == 0
}

/// Identity number of China: place, date of birth, three digits, ISO 7064 MOD 11-2.
///
/// GB 11643-1999.
pub(super) fn cn_ric(text: &str) -> bool {
    let Some(c) = exactly::<18>(alnum(text)) else { return false };
    if !c[..17].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let n: Vec<u8> = c[..17].iter().map(|c| c - b'0').collect();
    matches!(value(&n[..2]), 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83)
        && (1800..=2099).contains(&value(&n[6..10]))
        && is_date(value(&n[6..10]), value(&n[10..12]), value(&n[12..14]))
        && iso7064_mod11_2(c)
}

/// Unified social credit identifier of a Chinese body: seventeen characters, and what their sum
/// under powers of 3 lacks to a multiple of 31.
///
/// GB 32100-2015.
pub(super) fn cn_uscc(text: &str) -> bool {
    let Some(c) = exactly::<18>(alnum(text)) else { return false };
    let alphabet = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    // Powers of 3 modulo 31, and 1 for the check character.
    let weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28, 1];
    let values: Option<Vec<u8>> = c
        .iter()
        .map(|c| alphabet.iter().zip(0_u8..).find(|(known, _)| *known == c).map(|(_, at)| at))
        .collect();
    c[2..8].iter().all(u8::is_ascii_digit)
        && values.is_some_and(|values| weighted_mod(values, &weights, 31) == 0)
}

/// HKID of Hong Kong: one or two letters, six digits, check character under weights 9 to 2, modulo
/// 11 (10 is A); a missing letter counts 36.
///
/// Immigration Department; Registration of Persons Regulations (Cap. 177A).
pub(super) fn hk_id(text: &str) -> bool {
    let c: Vec<u8> = alnum(text).collect();
    let n_letters = c.iter().take_while(|c| c.is_ascii_uppercase()).count();
    let (Some(body), Some(check), 1..=2) =
        (c.get(n_letters..n_letters + 6), c.get(n_letters + 6), n_letters)
    else {
        return false;
    };
    if c.len() != n_letters + 7 || !body.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let first = if n_letters == 2 { value36(c[0]) } else { Some(36) };
    let (Some(first), Some(second)) = (first, value36(c[n_letters - 1])) else { return false };
    let check = match check {
        b'A' => 10,
        b'0'..=b'9' => check - b'0',
        _ => return false,
    };
    let all = [first, second].into_iter().chain(body.iter().map(|c| c - b'0')).chain([check]);
    weighted_mod(all, &[9, 8, 7, 6, 5, 4, 3, 2, 1], 11) == 0
}

/// NIK of Indonesia: province, regency and district, date of birth (day plus 40 for women), four
/// digits.
///
/// Peraturan Pemerintah Nomor 40 Tahun 2019; Kementerian Dalam Negeri.
pub(super) fn id_nik(text: &str) -> bool {
    exactly::<16>(digits(text)).is_some_and(|n| {
        let day = value(&n[6..8]);
        let day = if day > 40 { day - 40 } else { day };
        matches!(value(&n[..2]), 11..=19 | 21 | 31..=36 | 51..=53 | 61..=65 | 71..=76 | 81 | 82 | 91..=97)
            && is_date_of_any_century(value(&n[10..12]), value(&n[8..10]), day)
            && value(&n[12..]) != 0
    })
}

/// NPWP of Indonesia: nine digits by Luhn, tax office and branch; sixteen digits since 2024: 0 before
/// it, or a NIK.
///
/// Peraturan Menteri Keuangan Nomor 112/PMK.03/2022.
pub(super) fn id_npwp(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    let is_old = |n: &[u8]| value(n) != 0 && luhn(n[..9].iter().copied());
    match n.len() {
        15 => is_old(&n),
        16 => n[0] == 0 && is_old(&n[1..]) || id_nik(text),
        _ => false,
    }
}

/// Mispar zehut of Israel: nine digits by Luhn, leading zeros perhaps left out.
///
/// חוק מרשם האוכלוסין, תשכ"ה-1965; רשות האוכלוסין וההגירה.
pub(super) fn il_id(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    (8..=9).contains(&n.len()) && value(&n) > 99 && luhn(n.iter().copied())
}

/// Number of an Israeli company: 5 and eight digits, Luhn.
///
/// רשות התאגידים, מספר חברה.
pub(super) fn il_company(text: &str) -> bool {
    exactly::<9>(digits(text)).is_some_and(|n| n[0] == 5 && luhn(n))
}

/// Aadhaar of India: twelve digits, the first 2 to 9, Verhoeff; none that reads the same backwards.
///
/// UIDAI, A UID Numbering Scheme (2010).
pub(super) fn in_aadhaar(text: &str) -> bool {
    exactly::<12>(digits(text)).is_some_and(|n| is_in_number(&n))
}

/// Virtual ID that stands for an Aadhaar: sixteen digits, built the same way.
///
/// UIDAI, Circular 1 of 2018.
pub(super) fn in_vid(text: &str) -> bool {
    exactly::<16>(digits(text)).is_some_and(|n| is_in_number(&n))
}

fn is_in_number(n: &[u8]) -> bool {
    n[0] >= 2 && !n.iter().eq(n.iter().rev()) && verhoeff(n.iter().copied())
}

/// Voter card (EPIC) of India: three letters and seven digits by Luhn.
///
/// Election Commission of India, Manual on Electoral Rolls.
pub(super) fn in_epic(text: &str) -> bool {
    let Some(c) = exactly::<10>(alnum(text)) else { return false };
    c[..3].iter().all(u8::is_ascii_uppercase)
        && c[3..].iter().all(u8::is_ascii_digit)
        && c[3..].iter().any(|c| *c != b'0')
        && luhn(c[3..].iter().map(|c| c - b'0'))
}

/// GSTIN of India: state, PAN, number of the registration, Z, check character: Luhn over base 36.
///
/// GST Network; Central Goods and Services Tax Rules 2017, rule 10.
pub(super) fn in_gstin(text: &str) -> bool {
    let Some(c) = exactly::<15>(alnum(text)) else { return false };
    let values: Option<Vec<u8>> = c.iter().map(|c| value36(*c)).collect();
    let Some(values) = values else { return false };
    let sum: u32 = values
        .iter()
        .rev()
        .zip([1, 2].into_iter().cycle())
        .map(|(value, weight)| u32::from(*value) * weight)
        .map(|product| product / 36 + product % 36)
        .sum();
    let pan = std::str::from_utf8(&c[2..12]).is_ok_and(in_pan);
    has_in_state(&c) && pan && c[12] != b'0' && sum.is_multiple_of(36)
}

/// The form of a GSTIN: a state and a PAN's letters and digits, but any check character.
///
/// As [`in_gstin`].
pub(super) fn in_gstin_form(text: &str) -> bool {
    exactly::<15>(alnum(text)).is_some_and(|c| has_in_state(&c))
}

fn has_in_state(c: &[u8; 15]) -> bool {
    let state = c[..2].iter().all(u8::is_ascii_digit).then(|| (c[0] - b'0') * 10 + c[1] - b'0');
    matches!(state, Some(1..=38 | 97 | 99))
}

/// PAN of India: five letters, of which the fourth is the kind of holder, four digits that are not
/// all 0, a letter.
///
/// Income-tax Department; Income-tax Rules 1962, rule 114.
pub(super) fn in_pan(text: &str) -> bool {
    let Some(c) = exactly::<10>(alnum(text)) else { return false };
    c[..5].iter().all(u8::is_ascii_uppercase)
        && b"ABCFGHJLPT".contains(&c[3])
        && c[5..9].iter().all(u8::is_ascii_digit)
        && c[5..9] != *b"0000"
        && c[9].is_ascii_uppercase()
}

/// Corporate number of Japan: twelve digits with weights 1 and 2 in turn from the right; the first
/// digit is 9 less their sum modulo 9.
///
/// 法人番号の指定等に関する省令 (平成26年財務省令第70号).
pub(super) fn jp_corporate(text: &str) -> bool {
    exactly::<13>(digits(text)).is_some_and(|n| {
        let sum = weighted_sum(n[1..].iter().copied(), &[2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]);
        9 - sum % 9 == u32::from(n[0])
    })
}

/// My Number of Japan: eleven digits, weights 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, and 11 less the
/// remainder by 11 (10 and 11 are 0).
///
/// 行政手続における特定の個人を識別するための番号の利用等に関する法律施行令 (平成26年総務省令第85号 第5条).
pub(super) fn jp_my_number(text: &str) -> bool {
    exactly::<12>(digits(text)).is_some_and(|n| {
        let check = 11 - weighted_mod(n, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 11);
        !n.iter().all(|digit| *digit == n[0])
            && u32::from(n[11]) == if check >= 10 { 0 } else { check }
    })
}

/// Business registration number of South Korea: ten digits, weights 1, 3, 7, 1, 3, 7, 1, 3, 5 and
/// the tens of 5 times the ninth, and what they lack to a multiple of 10.
///
/// 부가가치세법 시행령; 국세청.
pub(super) fn kr_brn(text: &str) -> bool {
    exactly::<10>(digits(text)).is_some_and(|n| {
        let tens = u32::from(n[8]) * 5 / 10;
        value(&n[..3]) >= 101
            && value(&n[3..5]) != 0
            && (weighted_sum(n, &[1, 3, 7, 1, 3, 7, 1, 3, 5, 1]) + tens).is_multiple_of(10)
    })
}

/// Resident registration number of South Korea: date of birth, sex and century (9, 0, 1 to 4), six
/// digits. Those given out since October 2020 have no check digit, so none is looked at.
///
/// 주민등록법 시행규칙 제2조.
pub(super) fn kr_rrn(text: &str) -> bool {
    is_kr_person(text, [1900, 1900, 2000, 2000], 1) || is_kr_person(text, [1800; 4], 9)
}

/// The same with its check digit, as it was until October 2020: a place of registration (00 to
/// 96), weights 2 to 9 and 2 to 5, modulo 11.
///
/// 주민등록법 시행규칙 제2조 (before 2020).
pub(super) fn kr_rrn_checked(text: &str) -> bool {
    kr_rrn(text)
        && exactly::<13>(digits(text)).is_some_and(|n| {
            let place = value(&n[7..9]);
            let remainder = weighted_mod(n, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5], 11);
            place <= 96 && (11 - remainder) % 10 == u32::from(n[12])
        })
}

/// Registration number of a foreigner in South Korea: as of residents, with 5 to 8.
///
/// 출입국관리법 시행령 제40조의2.
pub(super) fn kr_frn(text: &str) -> bool {
    is_kr_person(text, [1900, 1900, 2000, 2000], 5)
}

fn is_kr_person(text: &str, centuries: [u64; 4], first: u8) -> bool {
    let Some(n) = exactly::<13>(digits(text)) else { return false };
    let kind = usize::from((n[6] + 10 - first) % 10);
    let Some(century) = centuries.get(kind) else { return false };
    // 9 and 0 are the 1800s.
    (first != 9 || kind < 2) && is_date(century + value(&n[..2]), value(&n[2..4]), value(&n[4..6]))
}

/// Driver licence of South Korea: region (11 to 26, 28), year, six digits, two.
///
/// 경찰청; 도로교통법 시행규칙 별지 제55호.
pub(super) fn kr_driver(text: &str) -> bool {
    exactly::<12>(digits(text)).is_some_and(|n| matches!(value(&n[..2]), 11..=26 | 28))
}

/// NRIC of Malaysia: date of birth, place of birth, four digits.
///
/// National Registration Regulations 1990; Jabatan Pendaftaran Negara, Kod Negeri.
pub(super) fn my_nric(text: &str) -> bool {
    exactly::<12>(digits(text)).is_some_and(|n| {
        is_date_of_any_century(value(&n[..2]), value(&n[2..4]), value(&n[4..6]))
            && matches!(value(&n[6..8]), 1..=16 | 21..=68 | 71 | 72 | 74..=79 | 82..=93 | 98 | 99)
    })
}

/// Bank account of New Zealand: bank, branch, account, suffix, under the weights that the bank uses.
///
/// Inland Revenue, Resident withholding tax specification: bank account number validation.
pub(super) fn nz_bank_account(text: &str) -> bool {
    let parts: Vec<Vec<u8>> =
        text.split(|c: char| !c.is_ascii_digit()).map(|part| digits(part).collect()).collect();
    let (bank, branch, base, suffix) = match &parts[..] {
        [bank, branch, base, suffix] => (value(bank), value(branch), value(base), value(suffix)),
        [all] if matches!(all.len(), 15 | 16) => {
            (value(&all[..2]), value(&all[2..6]), value(&all[6..13]), value(&all[13..]))
        }
        _ => return false,
    };
    let branches: &[(u64, u64)] = match bank {
        1 => &[(1, 999), (1100, 1199), (1800, 1899)],
        2 => &[(1, 999), (1200, 1299)],
        3 => &[(1, 999), (1300, 1399), (1500, 1599), (1700, 1799), (1900, 1999), (7350, 7399)],
        6 => &[(1, 999), (1400, 1499)],
        8 => &[(6500, 6599)],
        9 => &[(0, 0)],
        11 => &[(5000, 6499), (6600, 8999)],
        12 => &[(3000, 3299), (3400, 3499), (3600, 3699)],
        13 => &[(4900, 4999)],
        14 => &[(4700, 4799)],
        15 => &[(3900, 3999)],
        16 => &[(4400, 4499)],
        17 => &[(3300, 3399)],
        18 => &[(3500, 3599)],
        19 => &[(4600, 4649)],
        20 => &[(4100, 4199)],
        21 => &[(4800, 4899)],
        22 => &[(4000, 4049)],
        23 => &[(3700, 3799)],
        24 => &[(4300, 4349)],
        25 => &[(2500, 2599)],
        26 => &[(2600, 2699)],
        27 => &[(3800, 3849)],
        28 => &[(2100, 2149)],
        29 => &[(2150, 2299)],
        30 => &[(2900, 2949)],
        31 => &[(2800, 2849)],
        33 => &[(6700, 6799)],
        35 => &[(2400, 2499)],
        38 => &[(9000, 9499)],
        _ => return false,
    };
    if !branches.iter().any(|(from, to)| (*from..=*to).contains(&branch)) || base == 0 {
        return false;
    }
    // Four digits of the branch, eight of the account, four of the suffix.
    let padded = format!("{branch:04}{base:08}{suffix:04}");
    let Some(n) = exactly::<16>(digits(&padded)) else { return false };
    match bank {
        8 => weighted_mod(n, &[0, 0, 0, 0, 0, 7, 6, 5, 4, 3, 2, 1], 11) == 0,
        9 => {
            // Digits of the products are added until one is left.
            let weights = [0_u32, 0, 0, 0, 0, 0, 0, 0, 5, 4, 3, 2, 0, 0, 0, 1];
            let cross = |product: u32| if product == 0 { 0 } else { (product - 1) % 9 + 1 };
            let sum: u32 = n
                .iter()
                .zip(weights)
                .map(|(digit, weight)| cross(u32::from(*digit) * weight))
                .sum();
            sum.is_multiple_of(11)
        }
        25 | 33 => weighted_mod(n, &[0, 0, 0, 0, 0, 1, 7, 3, 1, 7, 3, 1], 10) == 0,
        26 | 28 | 29 => {
            let weights = [0_u32, 0, 0, 0, 0, 1, 3, 7, 1, 3, 7, 1, 0, 3, 7, 1];
            let sum: u32 = n
                .iter()
                .zip(weights)
                .map(|(digit, weight)| u32::from(*digit) * weight)
                .map(|product| if product == 0 { 0 } else { (product - 1) % 9 + 1 })
                .sum();
            sum.is_multiple_of(10)
        }
        31 => true,
        _ if base < 990_000 => weighted_mod(n, &[6, 3, 7, 9, 0, 0, 10, 5, 8, 4, 2, 1], 11) == 0,
        _ => weighted_mod(n, &[0, 0, 0, 0, 0, 0, 10, 5, 8, 4, 2, 1], 11) == 0,
    }
}

/// IRD number of New Zealand: seven or eight digits and a check digit, weights 3, 2, 7, 6, 5, 4, 3,
/// 2, or 7, 4, 3, 2, 5, 2, 7, 6 where the first give 10, modulo 11.
///
/// Inland Revenue, Resident withholding tax specification: IRD number validation.
pub(super) fn nz_ird(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    if !(8..=9).contains(&n.len()) || !(10_000_000..150_000_000).contains(&value(&n)) {
        return false;
    }
    let padded: Vec<u8> = std::iter::repeat_n(0, 9 - n.len()).chain(n.iter().copied()).collect();
    let check = |weights: &[u32]| (11 - weighted_mod(padded.iter().copied(), weights, 11)) % 11;
    let first = check(&[3, 2, 7, 6, 5, 4, 3, 2]);
    let second = || check(&[7, 4, 3, 2, 5, 2, 7, 6]);
    u32::from(padded[8]) == if first < 10 { first } else { second() }
}

/// TIN of the Philippines: nine digits and a branch of three to five, of which the first place is
/// not more than 5.
///
/// Bureau of Internal Revenue, Revenue Memorandum Order 23-2018; Executive Order 98.
pub(super) fn ph_tin(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    matches!(n.len(), 9 | 12 | 13 | 14) && n[0] <= 5 && value(&n[3..9]) != 0
}

/// CNIC of Pakistan: province (1 to 7), four digits of the place, seven, and sex (not 0).
///
/// NADRA Ordinance 2000; NADRA, CNIC number.
pub(super) fn pk_cnic(text: &str) -> bool {
    exactly::<13>(digits(text)).is_some_and(|n| matches!(n[0], 1..=7) && n[12] != 0)
}

/// NRIC and FIN of Singapore: S, T, F, G or M, seven digits under weights 2, 7, 6, 5, 4, 3, 2 (4
/// more for T and G, 3 more for M), and a letter by the remainder by 11.
///
/// National Registration Act 1965; Immigration and Checkpoints Authority.
pub(super) fn sg_nric(text: &str) -> bool {
    let Some(c) = exactly::<9>(alnum(text)) else { return false };
    if !c[1..8].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum = weighted_sum(c[1..8].iter().map(|c| c - b'0'), &[2, 7, 6, 5, 4, 3, 2]);
    let (more, letters) = match c[0] {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    letters.iter().zip(0..).any(|(c_, at)| *c_ == c[8] && at == (sum + more) % 11)
}

/// UEN of Singapore: a business (eight digits), a company (year and five digits), or another body
/// (R, S or T, year, kind, four digits), each with a check letter under its weights modulo 11.
///
/// ACRA, Unique Entity Number (www.uen.gov.sg).
pub(super) fn sg_uen(text: &str) -> bool {
    let c: Vec<u8> = alnum(text).collect();
    let letter = |letters: &[u8], remainder: u32| {
        letters.iter().zip(0..).any(|(letter, at)| Some(letter) == c.last() && at == remainder)
    };
    let all_digits = |c: &[u8]| c.iter().all(u8::is_ascii_digit);
    match c.len() {
        9 if all_digits(&c[..8]) => {
            let sum = weighted_mod(c[..8].iter().map(|c| c - b'0'), &[10, 4, 9, 3, 8, 2, 7, 1], 11);
            letter(b"XMKECAWLJDB", sum)
        }
        10 if all_digits(&c[..9]) => {
            let n: Vec<u8> = c[..9].iter().map(|c| c - b'0').collect();
            (1800..=2099).contains(&value(&n[..4]))
                && letter(
                    b"ZKCMDNERGWH",
                    weighted_mod(n.iter().copied(), &[10, 8, 6, 4, 9, 7, 5, 3, 1], 11),
                )
        }
        10 if matches!(c[0], b'R' | b'S' | b'T')
            && all_digits(&c[1..3])
            && all_digits(&c[5..9]) =>
        {
            let alphabet = b"ABCDEFGHJKLMNPQRSTUVWX0123456789";
            let mut values = Vec::with_capacity(9);
            for character in &c[..9] {
                let Some((_, value)) = alphabet.iter().zip(0_u8..).find(|(c, _)| *c == character)
                else {
                    return false;
                };
                values.push(value);
            }
            let sum = weighted_sum(values, &[4, 3, 5, 3, 10, 2, 2, 5, 7]);
            c[3..5].iter().all(u8::is_ascii_uppercase)
                && alphabet.get(usize::try_from((sum + 11 - 5) % 11).unwrap_or(0)) == c.get(9)
        }
        _ => false,
    }
}

/// Thirteen digits of Thailand, of a person (first 1 to 8) or a body (0): weights 13 to 2, 11 less
/// the remainder by 11, the last digit of it.
///
/// พระราชบัญญัติการทะเบียนราษฎร พ.ศ. 2534; กรมการปกครอง.
pub(super) fn th_number(text: &str) -> bool {
    exactly::<13>(digits(text)).is_some_and(|n| {
        let remainder = weighted_mod(n, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2], 11);
        n[0] <= 8
            && !n.iter().all(|digit| *digit == n[0])
            && (11 - remainder) % 10 == u32::from(n[12])
    })
}

/// Identity number of a person in Thailand: as [`th_number`], of a kind from 1 and of a province.
///
/// กรมการปกครอง, รหัสจังหวัด.
pub(super) fn th_person(text: &str) -> bool {
    exactly::<13>(digits(text)).is_some_and(|n| {
        n[0] != 0
            && matches!(value(&n[1..3]), 10..=27 | 30..=58 | 60..=67 | 70..=77 | 80..=86 | 90..=96)
    }) && th_number(text)
}

/// Identity number of Taiwan: a letter of the place (10 to 35, tens and ones apart), sex (1, 2; 8, 9
/// of residents) and eight digits under weights 1, 9, 8 to 1, 1, a multiple of 10.
///
/// 戶籍法; 內政部, 國民身分證統一編號.
pub(super) fn tw_id(text: &str) -> bool {
    let Some(c) = exactly::<10>(alnum(text)) else { return false };
    if !c[1..].iter().all(u8::is_ascii_digit) || !matches!(c[1], b'1' | b'2' | b'8' | b'9') {
        return false;
    }
    // Letters in the order in which places got their numbers from 10 on.
    let order = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let Some((_, place)) = order.iter().zip(10_u8..).find(|(letter, _)| **letter == c[0]) else {
        return false;
    };
    let all = [place / 10, place % 10].into_iter().chain(c[1..].iter().map(|c| c - b'0'));
    weighted_mod(all, &[1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1], 10) == 0
}

/// Unified business number of Taiwan: eight digits, digits of the products by 1, 2, 1, 2, 1, 2, 4, 1
/// a multiple of 5; a 7 at the seventh place may count one less.
///
/// 財政部財政資訊中心, 營利事業統一編號檢查碼邏輯 (2023).
pub(super) fn tw_ubn(text: &str) -> bool {
    exactly::<8>(digits(text)).is_some_and(|n| {
        let sum = weighted_cross_sum(n, &[1, 2, 1, 2, 1, 2, 4, 1]);
        // 7 times 4 is 28, whose digits add up to 10, which stands for 1 or 0.
        value(&n) != 0 && (sum.is_multiple_of(5) || n[6] == 7 && (sum + 1).is_multiple_of(5))
    })
}

/// Tax code of Vietnam: ten digits, weights 31, 29, 23, 19, 17, 13, 7, 5, 3, and 10 less the
/// remainder by 11; three digits of a branch may follow.
///
/// Thông tư 105/2020/TT-BTC.
pub(super) fn vn_mst(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    matches!(n.len(), 10 | 13)
        && value(&n[2..9]) != 0
        && (n.len() == 10 || value(&n[10..]) != 0)
        && 10
            == weighted_mod(n.iter().copied(), &[31, 29, 23, 19, 17, 13, 7, 5, 3], 11)
                + u32::from(n[9])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn australia_and_new_zealand() {
        check(au_abn, &["51 824 753 556", "83 914 571 673"]);
        reject(au_abn, &["51 824 753 557", "00000000000"]);
        check(au_acn, &["004 085 616", "000000180"]);
        reject(au_acn, &["004 085 617", "824 753 557"]);
        check(au_medicare, &["2123456701", "2123 45670 1"]);
        reject(au_medicare, &["2123 25870 1", "7123456701", "212345670221"]);
        check(au_tfn, &["123 456 782", "876543210"]);
        reject(au_tfn, &["123 456 783", "000000000"]);
        check(nz_bank_account, &["01-0242-0100194-00", "01-902-0068389-00"]);
        reject(nz_bank_account, &["01-0242-0100195-00", "01-9999-0100197-00"]);
        check(nz_ird, &["49-091-850", "136410132"]);
        reject(nz_ird, &["136410133", "9125568"]);
    }

    #[test]
    fn china() {
        check(cn_ric, &["360426199101010071", "44011320141005001x"]);
        reject(cn_ric, &["360426199101010072", "990426199112010074", "110111198013010078"]);
        check(cn_uscc, &["91110000600037341L", "911522010783762860"]);
        reject(cn_uscc, &["91110000600037341N", "91110000600037341I"]);
        check(hk_id, &["G123456(A)", "AB987654(3)"]);
        reject(hk_id, &["G123456(B)", "G123456(1)", "1234567"]);
        check(tw_id, &["A123456789"]);
        reject(tw_id, &["A123456788", "A323456789"]);
        check(tw_ubn, &["00501503", "10000073"]);
        reject(tw_ubn, &["00501502", "00000000"]);
    }

    #[test]
    fn india() {
        check(in_aadhaar, &["234123412346", "3123 4567 8909"]);
        reject(in_aadhaar, &["234123412347", "123412341234", "222222222222"]);
        check(in_vid, &["2341234123412341"]);
        reject(in_vid, &["2341234123412342", "1341234123412341"]);
        check(in_epic, &["WKH1186253"]);
        reject(in_epic, &["WKH1186263", "1231186253"]);
        check(in_gstin, &["27AAPFU0939F1ZV"]);
        reject(in_gstin, &["27AAPFU0939F1ZO", "39AAPFU0939F1ZV", "27AAPFU0939F1Z"]);
        check(in_pan, &["ACUPA7085R"]);
        reject(in_pan, &["ABMXA3211G", "ACUPA0000R", "ACUPA7085RR"]);
    }

    #[test]
    fn east_asia() {
        check(jp_corporate, &["5835678256246"]);
        reject(jp_corporate, &["2835678256246"]);
        check(jp_my_number, &["6214 9832 0257"]);
        reject(jp_my_number, &["6214 9832 0258", "000000000000"]);
        check(kr_brn, &["116-82-00276", "1048656659"]);
        reject(kr_brn, &["116-82-00277", "211-00-08983", "123-45-67890"]);
        check(kr_rrn, &["971013-9019902", "960121-1021413", "0005053637892"]);
        reject(kr_rrn, &["971313-9019902", "760413-5212134"]);
        check(kr_rrn_checked, &["971013-9019902"]);
        reject(kr_rrn_checked, &["971013-9019903"]);
        check(kr_frn, &["911124-5678901"]);
        reject(kr_frn, &["911124-1678901", "911324-5678901"]);
    }

    #[test]
    fn south_east_asia() {
        check(id_nik, &["3171011708450001"]);
        reject(id_nik, &["9971011708450001", "3171013213450001"]);
        check(id_npwp, &["01.312.166.0-091.000", "0013121660091000", "3171011708450001"]);
        reject(id_npwp, &["01.312.166.1-091.000", "12345678901234"]);
        check(my_nric, &["770305-02-1234"]);
        reject(my_nric, &["771305-02-1234", "770305-17-1234"]);
        check(sg_nric, &["S2740116C", "F2346401L", "M4332674T"]);
        reject(sg_nric, &["S2740116D", "T1234567Z"]);
        check(sg_uen, &["00192200M", "197401143C", "T01FC6132D"]);
        reject(sg_uen, &["00192200C", "197401143D", "T01FC6132E"]);
        check(th_person, &["1-2345-45678-78-1"]);
        reject(th_person, &["1-2345-45678-78-9", "0994000617721", "1111111111111"]);
        check(th_number, &["0-99-4-000-61772-1"]);
        check(vn_mst, &["0100233488", "0314409058-002"]);
        reject(vn_mst, &["0100233480", "0100000008"]);
    }

    #[test]
    fn others() {
        check(il_id, &["3933742-3", "039337423"]);
        reject(il_id, &["3933742-2", "490154203237518"]);
        check(il_company, &["516179157"]);
        reject(il_company, &["516179150", "416179157"]);
        check(pk_cnic, &["34201-0891231-8"]);
        reject(pk_cnic, &["34201-0891231-0", "84201-0891231-8"]);
        check(ph_tin, &["000-123-456-001"]);
        reject(ph_tin, &["600-000-000", "000-000-000-001"]);
    }
}
