//! Addresses of machines and numbers of devices and subscriptions.

use super::super::arithmetic::{digits, exactly, luhn};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether the text is an IPv4 address in dotted decimal, no octet with a leading zero, with or
/// without a prefix length (RFC 3986 § 3.2.2, RFC 4632 § 3.1).
pub(super) fn ipv4(text: &str) -> bool {
    let (address, prefix) = split_prefix(text);
    address.parse::<Ipv4Addr>().is_ok() && prefix.is_none_or(|bits| bits <= 32)
}

/// Whether the text is an IPv4 address of a host that cannot well be a version or a heading: a
/// shared range, a first octet of three digits, or one elsewhere beside another of two. A range
/// (`192.0.2.0/24`) names no host, and a loopback address names whoever reads it.
///
/// RFC 1918, RFC 6598, RFC 1122 § 3.2.1.3.
pub(super) fn ipv4_host(text: &str) -> bool {
    let (address, prefix) = split_prefix(text);
    let Ok(address) = address.parse::<Ipv4Addr>() else { return false };
    if prefix.is_some_and(|bits| !names_host(u128::from(address.to_bits()), 32, bits)) {
        return false;
    }
    let octets = address.octets();
    let large = |bound: u8| octets.iter().filter(|octet| **octet >= bound).count();
    let unlike_a_version = octets[0] >= 100 || (large(100) >= 1 && large(20) >= 2);
    let network = octets[1..] == [0, 0, 0];
    // Headings count from one.
    let private = address.is_private() && (large(100) >= 1 || octets[1..3].contains(&0));
    !network && !address.is_loopback() && (private || unlike_a_version)
}

/// Whether the text is an IPv6 address in any form of RFC 4291 § 2.2, with or without a zone
/// (RFC 4007 § 11) and a prefix length.
pub(super) fn ipv6(text: &str) -> bool {
    let (address, prefix) = split_prefix(text);
    let address = address.split('%').next().unwrap_or_default();
    address.parse::<Ipv6Addr>().is_ok() && prefix.is_none_or(|bits| bits <= 128)
}

/// Whether the text is an IPv6 address of a host that cannot well be a time or a path in a
/// program: three colons or more, or a first group of four characters, and a digit; or an IPv4
/// address at its end.
pub(super) fn ipv6_host(text: &str) -> bool {
    let (address, prefix) = split_prefix(text);
    let address = address.split('%').next().unwrap_or_default();
    let first = address.split(':').next().unwrap_or_default();
    let colons = address.bytes().filter(|byte| *byte == b':').count();
    let has_digit = |part: &str| part.bytes().any(|byte| byte.is_ascii_digit());
    address.parse::<Ipv6Addr>().is_ok_and(|address| {
        !address.is_unspecified()
            && prefix.is_none_or(|bits| names_host(address.to_bits(), 128, bits))
    }) && (address.contains('.')
        || (colons >= 3 && has_digit(address))
        || (first.len() == 4 && has_digit(first)))
}

/// Whether the text is the MAC address of a device, [`mac_form`] and neither all zeros nor the
/// broadcast address.
pub(super) fn mac(text: &str) -> bool {
    let mut nibbles = text.bytes().filter(u8::is_ascii_hexdigit);
    let first = nibbles.next();
    mac_form(text) && nibbles.any(|nibble| Some(nibble) != first)
}

/// Whether the text has the form of a MAC address of 48 or 64 bits (IEEE 802-2014 § 8.2, IEEE
/// guidelines for EUI-48 and EUI-64): one separator throughout.
pub(super) fn mac_form(text: &str) -> bool {
    let nibbles = || text.bytes().filter(u8::is_ascii_hexdigit);
    let mut separators = text.bytes().filter(|byte| !byte.is_ascii_hexdigit());
    let Some(separator) = separators.next() else { return false };
    matches!(separator, b':' | b'-' | b'.' | b' ')
        && separators.all(|other| other == separator)
        && matches!(nibbles().count(), 12 | 16)
}

/// Whether the text is a UUID of a variant and version that RFC 9562 § 4 defines, and not the nil
/// or the max UUID.
pub(super) fn uuid(text: &str) -> bool {
    let Some(nibbles) = exactly::<32>(text.bytes().filter(u8::is_ascii_hexdigit)) else {
        return false;
    };
    matches!(nibbles[12], b'1'..=b'8')
        && matches!(nibbles[16].to_ascii_lowercase(), b'8' | b'9' | b'a' | b'b')
}

/// Whether the text is an IMEI: fifteen digits, Luhn (3GPP TS 23.003 § 6.2.1, annex B), with a
/// reporting body identifier that the GSMA has given out.
pub(super) fn imei(text: &str) -> bool {
    let Some(number) = exactly::<15>(digits(text)) else { return false };
    let body = number[0] * 10 + number[1];
    let varied = number.iter().any(|digit| *digit != number[0]);
    REPORTING_BODIES.contains(&body) && varied && luhn(number)
}

/// Whether the text is an IMSI: fifteen digits that begin with the mobile country code of a
/// country (ITU-T E.212, annex to Operational Bulletin 1162: 2xx to 7xx, test networks 001 left out).
pub(super) fn imsi(text: &str) -> bool {
    exactly::<15>(digits(text)).is_some_and(|number| {
        (2..=7).contains(&number[0]) && number.iter().skip(5).any(|digit| *digit != number[5])
    })
}

/// Whether the text is an ICCID: `89`, nineteen or twenty digits, Luhn (ITU-T E.118 § 4).
///
/// Twenty digits carry the check digit at the end, or a filler that is not counted.
pub(super) fn iccid(text: &str) -> bool {
    let count = digits(text).count();
    let telecom = digits(text).take(2).eq([8, 9]);
    let varied = digits(text).skip(2).any(|digit| digits(text).nth(2) != Some(digit));
    telecom
        && varied
        && match count {
            19 => luhn(digits(text)),
            20 => exactly::<20>(digits(text))
                .is_some_and(|n| luhn(n) || luhn(n[..19].iter().copied())),
            _ => false,
        }
}

/// Whether an address of `width` bits has a bit of its host part set: a range does not.
fn names_host(address: u128, width: u16, bits: u16) -> bool {
    match width.checked_sub(bits) {
        None => false,
        Some(0) => true,
        Some(host) => address.trailing_zeros() < u32::from(host),
    }
}

/// Address and prefix length; a prefix that is no number of at most three digits reads as one that
/// is too long.
fn split_prefix(text: &str) -> (&str, Option<u16>) {
    match text.split_once('/') {
        None => (text, None),
        Some((address, prefix)) => (address, Some(prefix.parse().unwrap_or(u16::MAX))),
    }
}

/// Reporting body identifiers (GSMA TS.06, annex A), with the historical ones.
const REPORTING_BODIES: &[u8] =
    &[1, 10, 30, 33, 35, 44, 45, 49, 50, 51, 52, 53, 54, 86, 91, 98, 99];

#[cfg(test)]
mod tests {
    use super::{iccid, imei, imsi, ipv4, ipv4_host, ipv6, ipv6_host, mac, uuid};
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn ipv4_addresses() {
        for text in ["192.0.2.1", "0.0.0.0", "255.255.255.255", "10.0.0.0/8", "7.2.0.11"] {
            assert!(ipv4(text), "{text}");
        }
        for text in ["256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "10.0.0.0/33", "10.0.0.0/x"] {
            assert!(!ipv4(text), "{text}");
        }
    }

    #[test]
    fn versions_are_no_hosts() {
        for text in [
            "192.0.2.1",
            "10.0.0.1",
            "172.16.0.1",
            "100.72.18.20",
            "192.168.1.7/24",
            "192.168.1.0/32",
        ] {
            assert!(ipv4_host(text), "{text}");
        }
        for text in [
            "7.2.0.11",
            "6.0.1.12",
            "3.9.0.14",
            "2.0.1.150",
            "192.168.1.0/24",
            "192.168.1.7/33",
            "1.1.1",
        ] {
            assert!(!ipv4_host(text), "{text}");
        }
    }

    #[test]
    fn ipv6_addresses() {
        for text in [
            "2001:db8::1",
            "2345:0425:2CA1:0000:0000:0567:5673:23b5",
            "::ffff:192.0.2.1",
            "64:ff9b::198.51.100.1",
            "fe80::1%eth0",
            "::1/128",
            "::",
        ] {
            assert!(ipv6(text), "{text}");
        }
        for text in
            ["12:34:56", "2001::25de::cade", "gggg::1", "::ffff:256.0.0.1", "fe80::/129", ":"]
        {
            assert!(!ipv6(text), "{text}");
        }
    }

    #[test]
    fn paths_in_programs_are_no_hosts() {
        for text in [
            "2001:db8::1",
            "fe80::1",
            "2a02:8109:9c40:1f3c::b",
            "::ffff:192.0.2.1",
            "fe80::1%eth0/64",
        ] {
            assert!(ipv6_host(text), "{text}");
        }
        for text in ["::", "bed::cafe", "a::b", "fe80::/10", "dead::beef", "1:2:3", "2001:db8::/32"]
        {
            assert!(!ipv6_host(text), "{text}");
        }
    }

    #[test]
    fn mac_addresses() {
        for text in
            ["00:1A:2B:3C:4D:5E", "01-b3-4a-67-d9-cf", "0012.3456.789a", "02:aa:bb:ff:fe:cc:dd:ee"]
        {
            assert!(mac(text), "{text}");
        }
        for text in [
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
            "00:1A-2B:3C:4D:5E",
            "00:1A:2B:3C:4D",
            "00:1A:2B:3C:4D:5E:6F",
            "001A2B3C4D5E",
        ] {
            assert!(!mac(text), "{text}");
        }
    }

    #[test]
    fn uuids() {
        // RFC 9562, appendix A.
        for text in [
            "C232AB00-9414-11EC-B3C8-9F6BDECED846",
            "919108f7-52d1-4320-9bac-f847db4148a8",
            "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
        ] {
            assert!(uuid(text), "{text}");
        }
        for text in [
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "919108f7-52d1-4320-1bac-f847db4148a8",
            "919108f7-52d1-4320-9bac-f847db4148a",
        ] {
            assert!(!uuid(text), "{text}");
        }
    }

    #[test]
    fn device_numbers() {
        // 3GPP TS 23.003 gives the algorithm; 490154203237518 is the textbook example.
        for text in ["490154203237518", "35-209900-176148-1", "52 990000 123456 9"] {
            assert!(imei(text), "{text}");
        }
        for text in ["490154203237519", "000000000000000", "49015420323751", "120154203237510"] {
            assert!(!imei(text), "{text}");
        }
        for text in ["262011234567890", "310150123456789", "204046543219876"] {
            assert!(imsi(text), "{text}");
        }
        for text in ["001010123456789", "26201123456789", "926201123456789", "262010000000000"] {
            assert!(!imsi(text), "{text}");
        }
        for text in ["8949 0200 0012 3456 788", "8931440400000000016", "89014103211118510720"] {
            assert!(iccid(text), "{text}");
        }
        for text in [
            "8949020000123456783",
            "8849020000123456784",
            "894902000012345678",
            "8900000000000000000",
        ] {
            assert!(!iccid(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_ipv4_address_is_one(octets in any::<[u8; 4]>()) {
            prop_assert!(ipv4(&Ipv4Addr::from(octets).to_string()));
        }

        #[test]
        fn every_ipv6_address_is_one(groups in any::<[u16; 8]>()) {
            prop_assert!(ipv6(&Ipv6Addr::from(groups).to_string()));
        }

        #[test]
        fn one_wrong_digit_breaks_an_imei(place in 2usize..15, change in 1u8..10) {
            let mut number = *b"490154203237518";
            number[place] = b'0' + (number[place] - b'0' + change) % 10;
            prop_assert!(!imei(std::str::from_utf8(&number).unwrap()));
        }
    }
}
