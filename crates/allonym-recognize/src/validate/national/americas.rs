//! Canada, Latin America and the Caribbean.

use crate::validate::arithmetic::{
    alnum, digits, exactly, luhn, value, weighted_mod, weighted_sum,
};
use crate::validate::calendar::{is_date, is_date_of_any_century};

/// CBU of an Argentine account: eight digits of bank and branch and fourteen of the account, each
/// with a check digit under weights 7, 1, 3, 9 from the left of the first, 3, 9, 7, 1 of the second,
/// modulo 10.
///
/// BCRA, Comunicación A 2622 (Sistema Nacional de Pagos).
pub(super) fn ar_cbu(text: &str) -> bool {
    exactly::<22>(digits(text)).is_some_and(|n| {
        let bank = weighted_mod(n, &[7, 1, 3, 9, 7, 1, 3, 1], 10);
        let account = n[8..].iter().copied();
        value(&n) != 0
            && bank == 0
            && weighted_mod(account, &[3, 9, 7, 1, 3, 9, 7, 1, 3, 9, 7, 1, 3, 1], 10) == 0
    })
}

/// CUIT or CUIL: a kind that is given out, eight digits, check digit modulo 11 under weights 5, 4,
/// 3, 2, 7, 6, 5, 4, 3, 2.
///
/// AFIP, Resolución General 10/97.
pub(super) fn ar_cuit(text: &str) -> bool {
    exactly::<11>(digits(text)).is_some_and(|n| {
        let remainder = weighted_mod(n, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 11);
        let check = match remainder {
            0 => 0,
            // 10 is written 9.
            1 => 9,
            _ => 11 - remainder,
        };
        matches!(value(&n[..2]), 20 | 23..=27 | 30 | 33 | 34 | 50 | 51 | 55)
            && check == u32::from(n[10])
    })
}

/// CPF of a Brazilian taxpayer: nine digits and two check digits, weights 10 to 2 and 11 to 2,
/// modulo 11. One digit eleven times is a placeholder.
///
/// Receita Federal, Instrução Normativa RFB nº 2172/2024.
pub(super) fn br_cpf(text: &str) -> bool {
    exactly::<11>(digits(text)).is_some_and(|n| {
        let check = |sum: u32| match sum % 11 {
            0 | 1 => 0,
            remainder => 11 - remainder,
        };
        n.iter().any(|digit| *digit != n[0])
            && check(weighted_sum(n, &[10, 9, 8, 7, 6, 5, 4, 3, 2])) == u32::from(n[9])
            && check(weighted_sum(n, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) == u32::from(n[10])
    })
}

/// CNPJ of a Brazilian body: twelve digits, or letters since 2026 (which count 17 to 42), and two
/// check digits modulo 11 under weights 2 to 9 from the right.
///
/// Receita Federal, Instrução Normativa RFB nº 2229/2024.
pub(super) fn br_cnpj(text: &str) -> bool {
    let Some(c) = exactly::<14>(alnum(text)) else { return false };
    let values = c.map(|character| character - b'0');
    let check = |end: usize| {
        let weights = (2..=9).cycle();
        let sum: u32 =
            values[..end].iter().rev().zip(weights).map(|(v, w)| u32::from(*v) * w).sum();
        match sum % 11 {
            0 | 1 => 0,
            remainder => 11 - remainder,
        }
    };
    values[12..].iter().all(|value| *value <= 9)
        && values[..8] != [0; 8]
        && check(12) == u32::from(values[12])
        && check(13) == u32::from(values[13])
}

/// SIN of Canada: nine digits, the first neither 0 nor 8, Luhn.
///
/// Employment and Social Development Canada, Social Insurance Number code of practice; Luhn as of
/// ISO/IEC 7812-1.
pub(super) fn ca_sin(text: &str) -> bool {
    exactly::<9>(digits(text)).is_some_and(|n| !matches!(n[0], 0 | 8) && !alike(&n) && luhn(n))
}

/// BN of a Canadian business: nine digits by Luhn; a program account has two letters and four
/// digits behind it.
///
/// Canada Revenue Agency, T4001 and the Business Number registration guide.
pub(super) fn ca_bn(text: &str) -> bool {
    let c: Vec<u8> = alnum(text).collect();
    let Some((number, program)) = c.split_at_checked(9) else { return false };
    let is_program = match program {
        [] => true,
        [first, second, rest @ ..] => {
            rest.len() == 4
                && rest.iter().all(u8::is_ascii_digit)
                && [b"RC", b"RM", b"RP", b"RR", b"RT", b"RZ", b"RG", b"RD"]
                    .contains(&&[*first, *second])
        }
        _ => false,
    };
    is_program
        && number.iter().all(u8::is_ascii_digit)
        && number.iter().any(|digit| *digit != b'0')
        && luhn(number.iter().map(|byte| byte - b'0'))
}

/// Personal Health Number of British Columbia: 9, eight digits under weights 2, 4, 8, 5, 10, 9, 7,
/// 3, and 11 less the remainder by 11.
///
/// BC Ministry of Health, Professional and Software Conformance Standards, PHN check digit.
pub(super) fn ca_bc_phn(text: &str) -> bool {
    exactly::<10>(digits(text)).is_some_and(|n| {
        let remainder = weighted_mod(n[1..].iter().copied(), &[2, 4, 8, 5, 10, 9, 7, 3], 11);
        n[0] == 9 && (11 - remainder) % 11 == u32::from(n[9])
    })
}

/// Health number of Ontario: ten digits, the first not 0, Luhn.
///
/// Ontario Ministry of Health, Health Card Validation Reference Manual.
pub(super) fn ca_ohip(text: &str) -> bool {
    exactly::<10>(digits(text)).is_some_and(|n| n[0] != 0 && !alike(&n) && luhn(n))
}

/// Health insurance number of Québec: three letters of the surname and one of the given name, date
/// of birth (month plus 50 for women), two digits.
///
/// RAMQ, numéro d'assurance maladie.
pub(super) fn ca_ramq(text: &str) -> bool {
    let Some(c) = exactly::<12>(alnum(text)) else { return false };
    if !c[..4].iter().all(u8::is_ascii_uppercase) || !c[4..].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let two = |at: usize| u64::from(c[at] - b'0') * 10 + u64::from(c[at + 1] - b'0');
    let month = two(6);
    is_date_of_any_century(two(4), if month > 50 { month - 50 } else { month }, two(8))
}

/// RUT or RUN of Chile: seven or eight digits, weights 2 to 7 from the right, 11 less the remainder
/// by 11 (10 is K, 11 is 0).
///
/// Registro Civil e Identificación; Servicio de Impuestos Internos.
pub(super) fn cl_rut(text: &str) -> bool {
    // A country code is no part of it.
    let c: Vec<u8> = alnum(text).skip_while(|c| matches!(c, b'C' | b'L')).collect();
    let Some((check, body)) = c.split_last() else { return false };
    if !(6..=8).contains(&body.len()) || !body.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let weights = [2_u32, 3, 4, 5, 6, 7].into_iter().cycle();
    let sum: u32 = body.iter().rev().zip(weights).map(|(c, w)| u32::from(c - b'0') * w).sum();
    body.iter().any(|c| *c != b'0')
        && b"0K987654321".iter().zip(0..).any(|(c, at)| c == check && at == sum % 11)
}

/// NIT of Colombia: up to fifteen digits and a check digit, under primes from the right, modulo 11
/// (10 and 1 stay).
///
/// DIAN, Orden Administrativa 4 de 1989.
pub(super) fn co_nit(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    let Some((check, body)) = n.split_last() else { return false };
    let weights = [3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71];
    let remainder = weighted_mod(body.iter().rev().copied(), &weights, 11);
    let expected = if remainder < 2 { remainder } else { 11 - remainder };
    (7..=15).contains(&body.len()) && value(body) != 0 && expected == u32::from(*check)
}

/// Cédula jurídica of Costa Rica: a class that is given out and six digits.
///
/// Registro Nacional; Decreto Ejecutivo 34691-J.
pub(super) fn cr_cpj(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    n.len() == 10
        && match (n[0], value(&n[1..4])) {
            (2, class) => matches!(class, 100 | 200 | 300 | 400),
            (3, class) => matches!(class, 2..=14 | 101..=110),
            (4, class) => class == 0,
            (5, class) => class == 1,
            _ => false,
        }
}

/// Número de identidad of Cuba: date of birth, a digit of the century (0 to 5: 1900s, 6 to 8: 2000s,
/// 9: 1800s), four more digits.
///
/// Ministerio del Interior, carné de identidad (Decreto-Ley 248).
pub(super) fn cu_ni(text: &str) -> bool {
    exactly::<11>(digits(text)).is_some_and(|n| {
        let century = match n[6] {
            9 => 1800,
            0..=5 => 1900,
            _ => 2000,
        };
        is_date(century + value(&n[..2]), value(&n[2..4]), value(&n[4..6]))
    })
}

/// Cédula of the Dominican Republic: eleven digits, Luhn.
///
/// Junta Central Electoral; Ley 659.
pub(super) fn do_cedula(text: &str) -> bool {
    exactly::<11>(digits(text)).is_some_and(|n| value(&n) != 0 && luhn(n))
}

/// RNC of a Dominican business: nine digits, weights 7, 9, 8, 6, 5, 4, 3, 2; the check digit is 10
/// less the remainder by 11, modulo 9, plus 1.
///
/// Dirección General de Impuestos Internos.
pub(super) fn do_rnc(text: &str) -> bool {
    exactly::<9>(digits(text)).is_some_and(|n| {
        let remainder = weighted_mod(n, &[7, 9, 8, 6, 5, 4, 3, 2], 11);
        value(&n) != 0 && (10 - remainder) % 9 + 1 == u32::from(n[8])
    })
}

/// Cédula of Ecuador: province (01 to 24, 30 abroad), a digit below 7, six digits, Luhn.
///
/// Registro Civil del Ecuador.
pub(super) fn ec_ci(text: &str) -> bool {
    exactly::<10>(digits(text)).is_some_and(is_ec_person)
}

/// RUC of Ecuador: of a person (cédula and 001 on), of a public body (third digit 6, weights 3, 2,
/// 7, 6, 5, 4, 3, 2, modulo 11, four digits), or of a private one (third digit 9, weights 4, 3, 2,
/// 7, 6, 5, 4, 3, 2).
///
/// Servicio de Rentas Internas, Ley del RUC.
pub(super) fn ec_ruc(text: &str) -> bool {
    let Some(n) = exactly::<13>(digits(text)) else { return false };
    let person = || {
        let mut ci = [0; 10];
        ci.copy_from_slice(&n[..10]);
        is_ec_person(ci) && value(&n[10..]) != 0
    };
    is_ec_province(&n)
        && match n[2] {
            9 => weighted_mod(n, &[4, 3, 2, 7, 6, 5, 4, 3, 2, 1], 11) == 0 && value(&n[10..]) != 0,
            6 => {
                let public = weighted_mod(n, &[3, 2, 7, 6, 5, 4, 3, 2, 1], 11) == 0;
                public && value(&n[9..]) != 0 || person()
            }
            _ => person(),
        }
}

fn is_ec_person(n: [u8; 10]) -> bool {
    n[2] < 7 && is_ec_province(&n) && luhn(n)
}

fn is_ec_province(n: &[u8]) -> bool {
    matches!(value(&n[..2]), 1..=24 | 30 | 50)
}

/// NIT of Guatemala: up to eleven digits, weighted by their place from the right from 2 on, and what
/// they lack to a multiple of 11 (10 is K).
///
/// Superintendencia de Administración Tributaria.
pub(super) fn gt_nit(text: &str) -> bool {
    let c: Vec<u8> = alnum(text).collect();
    let Some((check, body)) = c.split_last() else { return false };
    if !(1..=11).contains(&body.len()) || !body.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 = body.iter().rev().zip(2_u32..).map(|(c, w)| u32::from(c - b'0') * w).sum();
    body.iter().any(|c| *c != b'0')
        && b"0123456789K".iter().zip(0..).any(|(c, at)| c == check && at == (11 - sum % 11) % 11)
}

/// CURP of Mexico: four letters, date of birth, sex, state, three consonants, a letter or digit, and
/// a check digit under weights 18 to 2 modulo 10.
///
/// Secretaría de Gobernación, Instructivo normativo para la asignación de la CURP (DOF 18.10.2021).
pub(super) fn mx_curp(text: &str) -> bool {
    let Some(c) = exactly::<18>(alnum(text)) else { return false };
    let states: [&[u8; 2]; 33] = [
        b"AS", b"BC", b"BS", b"CC", b"CL", b"CM", b"CS", b"CH", b"DF", b"DG", b"GT", b"GR", b"HG",
        b"JC", b"MC", b"MN", b"MS", b"NT", b"NL", b"OC", b"PL", b"QT", b"QR", b"SP", b"SL", b"SR",
        b"TC", b"TS", b"TL", b"VZ", b"YN", b"ZS", b"NE",
    ];
    // Ñ stands between N and O, so letters from O on count one more.
    let values = c.iter().map(|c| match c {
        b'0'..=b'9' => u32::from(c - b'0'),
        b'A'..=b'N' => u32::from(c - b'A') + 10,
        _ => u32::from(c - b'A') + 11,
    });
    let sum: u32 = values.take(17).zip((2..=18).rev()).map(|(value, weight)| value * weight).sum();
    // A digit before the last means the 1900s, a letter the 2000s.
    let century = if c[16].is_ascii_digit() { 1900 } else { 2000 };
    has_mx_date(&c[4..10], &[century])
        && c[..4].iter().all(u8::is_ascii_uppercase)
        && matches!(c[10], b'H' | b'M' | b'X')
        && !MX_CURP_WORDS.contains(&&c[..4])
        && states.contains(&&[c[11], c[12]])
        && c[13..16].iter().all(|c| c.is_ascii_uppercase() && !b"AEIOU".contains(c))
        && c[17].is_ascii_digit()
        && (10 - sum % 10) % 10 == u32::from(c[17] - b'0')
}

/// RFC of Mexico: three letters of a body or four of a person, a date, and three characters of the
/// homoclave, which a person may leave out. Many given out do not fit the published check character,
/// so it is not looked at.
///
/// Servicio de Administración Tributaria; Código Fiscal de la Federación art. 27.
pub(super) fn mx_rfc(text: &str) -> bool {
    let c: Vec<char> = text
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == '&')
        .flat_map(char::to_uppercase)
        .collect();
    let n_letters = match c.len() {
        12 => 3,
        10 | 13 => 4,
        _ => return false,
    };
    let (letters, rest) = c.split_at(n_letters);
    let (date, clave) = rest.split_at(6);
    let date: Option<Vec<u8>> = date.iter().map(|c| u8::try_from(*c).ok()).collect();
    let word: String = letters.iter().collect();
    letters.iter().all(|c| c.is_ascii_uppercase() || matches!(c, 'Ñ' | '&'))
        && !MX_WORDS.contains(&word.as_str())
        && date.is_some_and(|date| {
            date.iter().all(u8::is_ascii_digit) && has_mx_date(&date, &[1900, 2000])
        })
        && clave.iter().all(char::is_ascii_alphanumeric)
        && clave.last().is_none_or(|c| c.is_ascii_digit() || *c == 'A')
}

/// Four letters that nobody is given, because they are a word: SAT, anexo IV of the instructions.
const MX_WORDS: [&str; 41] = [
    "BUEI", "BUEY", "CACA", "CACO", "CAGA", "CAGO", "CAKA", "CAKO", "COGE", "COJA", "COJE", "COJI",
    "COJO", "CULO", "FETO", "GUEY", "JOTO", "KACA", "KACO", "KAGA", "KAGO", "KAKA", "KOGE", "KOJO",
    "KULO", "MAME", "MAMO", "MEAR", "MEAS", "MEON", "MION", "MOCO", "MULA", "PEDA", "PEDO", "PENE",
    "PUTA", "PUTO", "QULO", "RATA", "RUIN",
];

/// The same for a CURP: Instructivo normativo, anexo 2.
const MX_CURP_WORDS: [&[u8]; 81] = [
    b"BACA", b"BAKA", b"BUEI", b"BUEY", b"CACA", b"CACO", b"CAGA", b"CAGO", b"CAKA", b"CAKO",
    b"COGE", b"COGI", b"COJA", b"COJE", b"COJI", b"COJO", b"COLA", b"CULO", b"FALO", b"FETO",
    b"GETA", b"GUEI", b"GUEY", b"JETA", b"JOTO", b"KACA", b"KACO", b"KAGA", b"KAGO", b"KAKA",
    b"KAKO", b"KOGE", b"KOGI", b"KOJA", b"KOJE", b"KOJI", b"KOJO", b"KOLA", b"KULO", b"LILO",
    b"LOCA", b"LOCO", b"LOKA", b"LOKO", b"MAME", b"MAMO", b"MEAR", b"MEAS", b"MEON", b"MIAR",
    b"MION", b"MOCO", b"MOKO", b"MULA", b"MULO", b"NACA", b"NACO", b"PEDA", b"PEDO", b"PENE",
    b"PIPI", b"PITO", b"POPO", b"PUTA", b"PUTO", b"QULO", b"RATA", b"ROBA", b"ROBE", b"ROBO",
    b"RUIN", b"SENO", b"TETA", b"VACA", b"VAGA", b"VAGO", b"VAKA", b"VUEI", b"VUEY", b"WUEI",
    b"WUEY",
];

fn has_mx_date(date: &[u8], centuries: &[u64]) -> bool {
    let two = |at: usize| {
        u64::from(date[at].wrapping_sub(b'0')) * 10 + u64::from(date[at + 1].wrapping_sub(b'0'))
    };
    date.iter().all(u8::is_ascii_digit)
        && centuries.iter().any(|century| is_date(century + two(0), two(2), two(4)))
}

/// DNI (CUI) of Peru: eight digits, and a check digit or letter under weights 3, 2, 7, 6, 5, 4, 3,
/// 2 modulo 11.
///
/// RENIEC, Código Único de Identificación.
pub(super) fn pe_cui(text: &str) -> bool {
    let c: Vec<u8> = alnum(text).collect();
    let (Some(body), Some(check), 9) = (c.get(..8), c.get(8), c.len()) else { return false };
    if !body.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let place = weighted_mod(body.iter().map(|c| c - b'0'), &[3, 2, 7, 6, 5, 4, 3, 2], 11);
    let at = |alphabet: &[u8]| alphabet.iter().zip(0..).any(|(c, at)| c == check && at == place);
    body.iter().any(|c| *c != b'0') && (at(b"65432110987") || at(b"KJIHGFEDCBA"))
}

/// RUC of Peru: a kind (10, 15, 16, 17, 20), eight digits, check digit modulo 11 under weights 5, 4,
/// 3, 2, 7, 6, 5, 4, 3, 2.
///
/// SUNAT, Registro Único de Contribuyentes.
pub(super) fn pe_ruc(text: &str) -> bool {
    exactly::<11>(digits(text)).is_some_and(|n| {
        let check = (11 - weighted_mod(n, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 11)) % 10;
        matches!(value(&n[..2]), 10 | 15..=17 | 20) && check == u32::from(n[10])
    })
}

/// RUC of Paraguay: up to eight digits, weighted by their place from the right from 2 on, modulo 11
/// (10 is 0).
///
/// Dirección Nacional de Ingresos Tributarios.
pub(super) fn py_ruc(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    let Some((check, body)) = n.split_last() else { return false };
    let sum: u32 = body.iter().rev().zip(2_u32..).map(|(digit, w)| u32::from(*digit) * w).sum();
    (4..=8).contains(&body.len())
        && value(body) != 0
        && (11 - sum % 11) % 11 % 10 == u32::from(*check)
}

/// NIT of El Salvador: municipality, date of birth or foundation, three digits, check digit; numbers
/// up to 100 of the three digits under weights 14 to 2, later ones under 2, 7, 6, 5, 4, 3 in turn.
///
/// Ministerio de Hacienda, Dirección General de Impuestos Internos.
pub(super) fn sv_nit(text: &str) -> bool {
    let Some(n) = exactly::<14>(digits(text)) else { return false };
    let check = if value(&n[10..13]) <= 100 {
        weighted_mod(n, &[14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2], 11) % 10
    } else {
        let sum = weighted_mod(n, &[2, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 11);
        (11 - sum) % 11 % 10
    };
    matches!(n[0], 0 | 1 | 9) && check == u32::from(n[13])
}

/// RUT of Uruguay: 01 to 22, six digits, 001, check digit modulo 11 under weights 4, 3, 2, 9, 8, 7,
/// 6, 5, 4, 3, 2.
///
/// Dirección General Impositiva.
pub(super) fn uy_rut(text: &str) -> bool {
    exactly::<12>(digits(text)).is_some_and(|n| {
        let remainder = weighted_mod(n, &[4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2], 11);
        matches!(value(&n[..2]), 1..=22)
            && value(&n[2..8]) != 0
            && value(&n[8..11]) == 1
            && (11 - remainder) % 11 == u32::from(n[11])
    })
}

/// Cédula of Uruguay: seven digits, weights 2, 9, 8, 7, 6, 3, 4, and what they lack to a multiple of
/// 10.
///
/// Dirección Nacional de Identificación Civil.
pub(super) fn uy_ci(text: &str) -> bool {
    exactly::<8>(digits(text))
        .is_some_and(|n| value(&n) != 0 && weighted_mod(n, &[2, 9, 8, 7, 6, 3, 4, 1], 10) == 0)
}

/// RIF of Venezuela: a letter of the kind (V 4, E 8, J or C 12, P 16, G 20), eight digits under
/// weights 3, 2, 7, 6, 5, 4, 3, 2, check digit modulo 11 (10 and 11 are 0).
///
/// SENIAT, Registro Único de Información Fiscal.
pub(super) fn ve_rif(text: &str) -> bool {
    let Some(c) = exactly::<10>(alnum(text)) else { return false };
    let kind = match c[0] {
        b'V' => 4,
        b'E' => 8,
        b'J' | b'C' => 12,
        b'P' => 16,
        b'G' => 20,
        _ => return false,
    };
    if !c[1..].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let body = c[1..].iter().map(|c| c - b'0');
    let check = 11 - (kind + weighted_sum(body, &[3, 2, 7, 6, 5, 4, 3, 2])) % 11;
    u32::from(c[9] - b'0') == if check >= 10 { 0 } else { check }
}

/// All digits are one.
fn alike(n: &[u8]) -> bool {
    n.iter().all(|digit| *digit == n[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn canada() {
        check(ca_sin, &["123-456-782", "130 692 544"]);
        reject(ca_sin, &["130692545", "046 454 286", "823456785", "999 999 999"]);
        check(ca_bn, &["123026635", "123026635RC0001"]);
        reject(ca_bn, &["123026636", "123026635RX0001", "123026635RC001", "000000000"]);
        check(ca_bc_phn, &["9698 658 215"]);
        reject(ca_bc_phn, &["9698648215", "5736504210"]);
        check(ca_ohip, &["1234567897"]);
        reject(ca_ohip, &["1234567898", "0234567897"]);
        check(ca_ramq, &["MUSA 5501 0112", "MUSA 5551 0112"]);
        reject(ca_ramq, &["MUSA 5513 0112", "MUS 5501 0112"]);
    }

    #[test]
    fn southern_cone() {
        check(ar_cbu, &["2850590940090418135201"]);
        reject(ar_cbu, &["2810590940090418135201", "0000000000000000000000"]);
        check(ar_cuit, &["20-05536168-2", "20267565393"]);
        reject(ar_cuit, &["20267565392", "99-05536168-8"]);
        check(cl_rut, &["76086428-5", "CL 12531909-2", "10.402.061-5"]);
        reject(cl_rut, &["12531909-3", "76086A28-5", "0000000-0"]);
        check(py_ruc, &["80028061-0", "9991603"]);
        reject(py_ruc, &["800532492", "80123456789"]);
        check(uy_rut, &["211003420017", "020334150013"]);
        reject(uy_rut, &["210303670014", "001599340019"]);
        check(uy_ci, &["1.234.567-2"]);
        reject(uy_ci, &["1.234.567-3", "00000000"]);
    }

    #[test]
    fn brazil() {
        check(br_cpf, &["390.533.447-05", "111.444.777-35"]);
        reject(br_cpf, &["390.533.447-06", "111.111.111-11"]);
        check(br_cnpj, &["16.727.230/0001-97", "12.ABC.345/01DE-35"]);
        reject(br_cnpj, &["16.727.230/0001-98", "00000000000000"]);
    }

    #[test]
    fn andes() {
        check(co_nit, &["213.123.432-1", "2131234321"]);
        reject(co_nit, &["2131234325", "12345"]);
        check(ec_ci, &["171430710-3", "1714307103"]);
        reject(ec_ci, &["1714307104", "171430710", "9914307103"]);
        check(ec_ruc, &["1792060346001", "1714307103001"]);
        reject(ec_ruc, &["1763154690001", "179206034601", "1714307103000"]);
        check(pe_cui, &["10117410-2", "10812543-H"]);
        reject(pe_cui, &["10117410-3", "108125H3-3"]);
        check(pe_ruc, &["20512333797"]);
        reject(pe_ruc, &["20512333798", "99512333792"]);
        check(ve_rif, &["V-11470283-4"]);
        reject(ve_rif, &["V-11470283-3", "X-11470283-4"]);
    }

    #[test]
    fn mexico_and_the_middle() {
        check(mx_curp, &["BOXW310820HNERXN09"]);
        reject(mx_curp, &["BOXW310820HNERXN08", "BOXW311320HNERXN09", "BOXW310820HXXRXN09"]);
        check(mx_rfc, &["GODE 561231 GR8", "MAB-930714-8T4", "GODE561231"]);
        reject(mx_rfc, &["ABCD 123456", "GODE 561331 GR8", "AABN 821103 8Ñ2"]);
        check(gt_nit, &["576937-K", "7108-0"]);
        reject(gt_nit, &["8977112-0", "1234567890123", "1"]);
        check(sv_nit, &["0614-050707-104-8"]);
        reject(sv_nit, &["0614-050707-104-9", "52345678901234"]);
        check(cr_cpj, &["3-101-999999"]);
        reject(cr_cpj, &["3-534-123559", "310132541"]);
    }

    #[test]
    fn caribbean() {
        check(cu_ni, &["91021027775"]);
        reject(cu_ni, &["02023061531", "9102102777"]);
        check(do_cedula, &["001-1391820-5"]);
        reject(do_cedula, &["00113918204", "00000000000"]);
        check(do_rnc, &["1-01-85004-3"]);
        reject(do_rnc, &["101850042", "000000000"]);
    }
}
