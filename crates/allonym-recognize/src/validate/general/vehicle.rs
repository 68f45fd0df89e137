//! Vehicle identification numbers and registration plates.

use super::super::arithmetic::{alnum, exactly};

/// Whether the text is a vehicle identification number with a right check digit in place nine.
///
/// ISO 3779:2009 (17 characters, no I, O, Q) and 49 CFR § 565.15 (weights, transliteration,
/// modulus 11, X for ten). The check digit binds North America and China only.
pub(super) fn vin(text: &str) -> bool {
    let Some(code) = exactly::<17>(alnum(text)) else { return false };
    let mut sum = 0;
    for (character, weight) in code.iter().zip(VIN_WEIGHTS) {
        let Some(value) = transliterate(*character) else { return false };
        sum += value * weight;
    }
    let check = match code[8] {
        b'X' => 10,
        b'0'..=b'9' => u32::from(code[8] - b'0'),
        _ => return false,
    };
    sum % 11 == check && vin_shape(text)
}

/// Whether the text has the shape of a vehicle identification number: 17 characters without I, O
/// and Q, at least three letters and four digits, a serial number that ends in three digits.
pub(super) fn vin_shape(text: &str) -> bool {
    let Some(code) = exactly::<17>(alnum(text)) else { return false };
    let letters = code.iter().filter(|character| character.is_ascii_alphabetic()).count();
    code.iter().all(|character| transliterate(*character).is_some())
        && (3..=13).contains(&letters)
        && code[14..].iter().all(u8::is_ascii_digit)
}

/// Whether the text is a German plate: a district that exists, one or two letters, up to four
/// digits without a leading zero, `E` (electric) or `H` (historic) behind; eight characters at most.
///
/// Fahrzeug-Zulassungsverordnung, Anlage 1 (districts) and § 9.
pub(super) fn de_plate(text: &str) -> bool {
    let mut parts = text.split([' ', '-']).filter(|part| !part.is_empty());
    let (Some(district), Some(letters)) = (parts.next(), parts.next()) else { return false };
    let district = district.to_uppercase();
    // `B-AB1234` and `B AB 1234` both occur.
    let (letters, number) = match letters.find(|character: char| character.is_ascii_digit()) {
        Some(place) => letters.split_at(place),
        None => (letters, parts.next().unwrap_or_default()),
    };
    let tail = parts.next();
    let number = number.strip_suffix(['E', 'H', 'e', 'h']).unwrap_or(number);
    let count = district.chars().count() + letters.len() + number.len();
    (1..=3).contains(&district.chars().count())
        && (1..=2).contains(&letters.len())
        && letters.bytes().all(|byte| byte.is_ascii_alphabetic())
        && (1..=4).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && !number.starts_with('0')
        && count <= 8
        && tail.is_none_or(|tail| matches!(tail, "E" | "H" | "e" | "h"))
        // Standards, and sizes of paper.
        && !(district == "DIN" && (letters == "EN" || (letters == "A" && number.len() == 1)))
        && DISTRICTS.split(' ').any(|known| known == district)
}

/// Whether the text is a British plate of the current style: two letters of the office, an age
/// identifier that has been issued (02 to 29, 51 to 79), three letters; I, Q and Z as DVLA allows.
///
/// DVLA INF104, Vehicle registration numbers and number plates.
pub(super) fn gb_plate(text: &str) -> bool {
    let Some(plate) = exactly::<7>(alnum(text)) else { return false };
    let office = !matches!(plate[0], b'I' | b'Q' | b'Z') && !matches!(plate[1], b'I' | b'Q');
    let serial =
        plate[4..].iter().all(|byte| byte.is_ascii_uppercase() && !matches!(byte, b'I' | b'Q'));
    let age =
        plate[2].wrapping_sub(b'0').wrapping_mul(10).wrapping_add(plate[3].wrapping_sub(b'0'));
    plate[..2].iter().all(u8::is_ascii_uppercase)
        && plate[2..4].iter().all(u8::is_ascii_digit)
        && matches!(age, 2..=29 | 51..=79)
        && office
        && serial
}

/// 49 CFR § 565.15, table III.
fn transliterate(character: u8) -> Option<u32> {
    Some(match character {
        b'0'..=b'9' => u32::from(character - b'0'),
        b'A'..=b'H' => u32::from(character - b'A') + 1,
        b'J'..=b'N' => u32::from(character - b'J') + 1,
        b'P' => 7,
        b'R' => 9,
        b'S'..=b'Z' => u32::from(character - b'S') + 2,
        _ => return None,
    })
}

/// 49 CFR § 565.15, table IV.
const VIN_WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];

/// Fahrzeug-Zulassungsverordnung, Anlage 1, with the districts of the past that are given out again.
const DISTRICTS: &str = "A AA AB ABG ABI AC AE AH AIB AIC AK ALF ALZ AM AN ANA ANG ANK AÖ AP APD AR ARN ART AS \
    ASL ASZ AT AU AUR AW AZ AZE B BA BAD BAR BB BBG BBL BC BCH BD BE BED BER BF BGD BGL BH \
    BI BID BIN BIR BIT BIW BK BKS BL BLB BLK BM BN BNA BO BÖ BOG BOH BOR BOT BP BRA BRB BRG \
    BRK BRL BRV BS BSB BSK BT BTF BÜD BUL BÜR BÜS BÜZ BW BWL BYL BZ BZA C CA CAS CB CE CHA \
    CLP CLZ CO COC COE CR CUX CW D DA DAH DAN DAU DB DBR DD DE DEG DEL DGF DH DI DIL DIN DIZ \
    DKB DL DLG DM DN DO DON DU DUD DÜW DW DZ E EA EB EBE EBN EBS ECK ED EE EF EG EH EI EIC \
    EIL EIN EIS EL EM EMD EMS EN ER ERB ERH ERK ERZ ES ESB ESW EU EUT EW F FAL FB FD FDB FDS \
    FEU FF FFB FG FH FI FKB FL FLÖ FN FO FOR FR FRG FRI FRW FS FT FTL FÜ FÜS FW FZ G GA GAN \
    GAP GC GD GDB GE GEL GEM GEO GER GF GG GHA GHC GI GK GL GLA GM GMN GN GNT GÖ GOA GOH GP \
    GR GRA GRH GRI GRM GRZ GS GT GTH GÜ GUB GUN GV GVM GW GZ H HA HAB HAL HAM HAS HB HBN HBS \
    HC HCH HD HDH HDL HE HEB HEF HEI HEL HER HET HF HG HGN HGW HH HHM HI HIG HIP HK HL HM \
    HMÜ HN HO HOG HOH HOL HOM HOR HÖS HOT HP HR HRO HS HSK HST HU HUN HUS HV HVL HWI HX HY \
    HZ IGB IK IL ILL IN IS IZ J JB JE JEV JL JÜL K KA KB KC KE KEH KEL KEM KF KG KH KI KIB \
    KK KL KLE KLZ KM KN KO KÖN KÖT KÖZ KR KRU KS KT KU KÜN KUS KW KY KYF L LA LAN LAU LB LBS \
    LBZ LC LD LDK LDS LEO LER LEV LF LG LH LI LIB LIF LIP LL LM LN LÖ LÖB LOS LP LR LRO LS \
    LSA LSN LSZ LU LUK LÜN LUP LWL M MA MAB MAI MAK MAL MB MC MD ME MED MEG MEI MEK MEL MER \
    MET MG MGH MGN MH MHL MI MIL MK MKK ML MM MN MO MOD MOL MON MOS MQ MR MS MSE MSH MSP MST \
    MTK MTL MÜ MÜB MÜR MVL MW MY MYK MZ MZG N NAB NAI NAU NB ND NDH NE NEA NEB NEC NEN NES \
    NEW NF NH NI NK NL NM NMB NMS NÖ NOH NOL NOM NOR NP NR NRÜ NT NU NVP NW NWM NY NZ OA OAL \
    OB OBB OBG OC OCH OD OE OF OG OH OHA ÖHR OHV OHZ OK OL OP OPR OS OSL OTW OVI OVL OVP OZ \
    P PA PAF PAN PAR PB PCH PE PEG PF PI PIR PL PLÖ PM PN PR PRÜ PS PW PZ QFT QLB R RA RC RD \
    RDG RE REG REH REI RG RH RI RID RIE RL RM RN RO ROD ROF ROH ROL ROS ROT ROW RS RSL RT RU \
    RÜD RÜG RV RW RY RZ S SAB SAD SAN SAW SB SBG SBK SC SCZ SDH SDL SDT SE SEB SEE SEF SEL \
    SFB SFT SG SGH SHA SHG SHK SHL SI SIG SIM SK SL SLE SLF SLK SLN SLS SLÜ SLZ SM SMÜ SN SO \
    SOB SOG SOK SÖM SON SP SPB SPN SR SRB SRO ST STA STB STD STE STH STL STO STR SU SUL SÜW \
    SW SWA SY SZ SZB TBB TDO TE TET TF TG THL THW TIR TO TÖL TP TR TS TT TÜ TUT UE UEM UER \
    UFF UH UL UM UN USI V VAI VB VEC VER VG VIB VIE VIT VK VOF VOH VR VS W WA WAF WAK WAN \
    WAR WAT WB WBS WDA WE WEB WEG WEI WEL WEN WER WES WF WG WHV WI WIL WIS WIT WIZ WK WL WLG \
    WM WMS WN WND WO WOB WOH WOL WOR WOS WR WRN WS WSF WST WSW WT WTL WTM WÜ WUG WÜM WUN WUR \
    WW WZ WZL X Y Z ZE ZEL ZI ZIG ZP ZR ZW ZZ";

#[cfg(test)]
mod tests {
    use super::{de_plate, gb_plate, vin, vin_shape};
    use proptest::prelude::*;

    #[test]
    fn vehicle_numbers() {
        // 49 CFR § 565.15 works 1G4AH59H45G118341; the others are the common published examples.
        for text in
            ["1G4AH59H45G118341", "1M8GDM9AXKP042788", "5GZCZ43D13S812715", "1HGCM82633A004352"]
        {
            assert!(vin(text), "{text}");
        }
        for text in [
            "1G4AH59H55G118341",
            "1M8GDM9A1KP042788",
            "1M8GDM9AXKP04278",
            "1M8GDM9AXKPO42788",
            "11111111111111111",
        ] {
            assert!(!vin(text), "{text}");
        }
        for text in ["WVWZZZ1JZXW000001", "WBA3A5C50CF256651", "VF1AA000123456789"] {
            assert!(vin_shape(text), "{text}");
        }
        for text in ["12345678901234567", "WVWZZZ1JZXW0000AB", "WVWZZZ1JZXQ000001", "ABCDEFGHJKLMN"]
        {
            assert!(!vin_shape(text), "{text}");
        }
    }

    #[test]
    fn german_plates() {
        for text in
            ["B-AB 1234", "HH AB 123", "M-X 1", "KA-EF 12H", "S-AB123E", "DÜW-A 77", "m xy 999"]
        {
            assert!(de_plate(text), "{text}");
        }
        for text in [
            "DIN EN 1090",
            "ISO A 4",
            "B 1234",
            "BAB1234",
            "HSK-ABC 12",
            "B-AB 0123",
            "HSK-AB 12345",
            "M-AB 12 34",
        ] {
            assert!(!de_plate(text), "{text}");
        }
    }

    #[test]
    fn british_plates() {
        for text in ["BD62XYZ", "aa02 aaa", "YK19 XHB", "LS68 KPV"] {
            assert!(gb_plate(text), "{text}");
        }
        for text in
            ["IB51 ABC", "AB00 ABC", "AB35 ABC", "AB49 ABC", "AB80 ABC", "AB51 AIB", "AB5 ABC"]
        {
            assert!(!gb_plate(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_digit_breaks_a_checked_number(place in 11usize..17, change in 1u8..10) {
            let mut code = *b"1M8GDM9AXKP042788";
            code[place] = b'0' + (code[place] - b'0' + change) % 10;
            prop_assert!(!vin(std::str::from_utf8(&code).unwrap()));
        }
    }
}
