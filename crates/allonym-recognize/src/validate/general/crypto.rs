//! Addresses of crypto currencies.

use sha2::{Digest, Sha256};

/// Whether the text is an address of Bitcoin (main and test network), Litecoin, Dogecoin, Dash or
/// Tron: `Base58Check` of 25 bytes, the first of them a version that one of these gives to addresses.
///
/// Bitcoin wiki, `Base58Check` encoding and list of address prefixes; BIP 13; the chain parameters of
/// the other coins. The last four bytes are the first of SHA-256(SHA-256(the others)).
pub(super) fn coin_base58(text: &str) -> bool {
    base58_check(text, BASE58).is_some_and(|version| COIN_VERSIONS.contains(&version))
}

/// Whether the text is an account of the XRP ledger: `Base58Check` with an alphabet of its own,
/// version 0 (xrpl.org, "Base58 encodings").
pub(super) fn ripple(text: &str) -> bool {
    base58_check(text, BASE58_RIPPLE) == Some(0)
}

/// Whether the text is a segregated-witness address of Bitcoin or Litecoin: version 0 with the bech32 checksum
/// (BIP 173), versions 1 to 16 with bech32m (BIP 350). Upper or lower case, never both.
pub(super) fn bech32(text: &str) -> bool {
    let upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
    let lower = text.bytes().any(|byte| byte.is_ascii_lowercase());
    if text.len() > 90 || (upper && lower) {
        return false;
    }
    let Some((prefix, data)) = text.rsplit_once('1') else { return false };
    if !["bc", "tb", "bcrt", "ltc"].iter().any(|known| prefix.eq_ignore_ascii_case(known)) {
        return false;
    }
    let prefix = || prefix.bytes().map(|byte| byte.to_ascii_lowercase());
    let mut state = 1u32;
    let expanded = prefix().map(|byte| byte >> 5).chain([0]).chain(prefix().map(|byte| byte & 31));
    for value in expanded {
        state = polymod(state, value);
    }
    let (mut version, mut count) = (None, 0usize);
    for byte in data.bytes() {
        let Some(value) = BECH32.iter().position(|known| *known == byte.to_ascii_lowercase())
        else {
            return false;
        };
        let Ok(value) = u8::try_from(value) else { return false };
        version = version.or(Some(value));
        count += 1;
        state = polymod(state, value);
    }
    // Version, 2 to 40 bytes of program in groups of five bits, six characters of checksum.
    let program = count.saturating_sub(7) * 5 / 8;
    match version {
        Some(0) => state == 1 && (program == 20 || program == 32),
        Some(1..=16) => state == 0x2bc8_30a3 && (2..=40).contains(&program),
        _ => false,
    }
}

/// Whether the text is an Ethereum address: `0x` and forty hexadecimal digits of which at least
/// six differ. The mixed-case checksum of EIP-55 needs Keccak-256 and is not judged.
pub(super) fn ethereum(text: &str) -> bool {
    let Some(digits) = text.strip_prefix("0x") else { return false };
    let different = |digit: &u8| digits.bytes().any(|byte| byte.to_ascii_lowercase() == *digit);
    digits.len() == 40
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && b"0123456789abcdef".iter().filter(|digit| different(digit)).count() >= 6
}

/// Version of a `Base58Check` address of 25 bytes whose checksum is right.
fn base58_check(text: &str, alphabet: &[u8; 58]) -> Option<u8> {
    let bytes = base58(text, alphabet)?;
    let (payload, checksum) = bytes.split_at(21);
    let digest = Sha256::digest(Sha256::digest(payload));
    (digest[..4] == *checksum).then_some(payload[0])
}

/// The 25 bytes a `Base58Check` address holds.
fn base58(text: &str, alphabet: &[u8; 58]) -> Option<[u8; 25]> {
    if !(25..=35).contains(&text.len()) {
        return None;
    }
    let mut bytes = [0u8; 25];
    for character in text.bytes() {
        let mut carry =
            u32::try_from(alphabet.iter().position(|known| *known == character)?).ok()?;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 58;
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    // Each leading zero byte is written as one `1`, no more and no fewer.
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let ones = text.bytes().take_while(|character| *character == alphabet[0]).count();
    (zeros == ones).then_some(bytes)
}

/// One step of the BCH code of BIP 173.
fn polymod(state: u32, value: u8) -> u32 {
    let top = state >> 25;
    let mut next = ((state & 0x01ff_ffff) << 5) ^ u32::from(value);
    for (bit, generator) in GENERATOR.iter().enumerate() {
        if (top >> bit) & 1 == 1 {
            next ^= generator;
        }
    }
    next
}

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BASE58_RIPPLE: &[u8; 58] = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";
/// Bitcoin 0 and 5, its test network 111 and 196, Litecoin 48 and 50, Dogecoin 30 and 22, Dash 76
/// and 16, Tron 65.
const COIN_VERSIONS: &[u8] = &[0, 5, 16, 22, 30, 48, 50, 65, 76, 111, 196];
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];

#[cfg(test)]
mod tests {
    use super::{bech32, coin_base58, ethereum, ripple};
    use proptest::prelude::*;

    #[test]
    fn other_coins() {
        // xrpl.org (the genesis and the black-hole account), Bitcoin wiki (test network), tron.network.
        for text in ["rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "rrrrrrrrrrrrrrrrrrrrrhoLvTp"] {
            assert!(ripple(text), "{text}");
        }
        for text in [
            "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
            "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc",
            "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
        ] {
            assert!(coin_base58(text), "{text}");
        }
        assert!(!ripple("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi"));
    }

    #[test]
    fn base58_addresses() {
        // The first block's reward, BIP 13's neighbour vectors, the wiki's example.
        for text in [
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
            "16UwLL9Risc3QfPqBUvKofHmBQ7wMtjvM",
            "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
        ] {
            assert!(coin_base58(text), "{text}");
        }
        for text in [
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf0a",
            "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ2",
            "11A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            "2A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        ] {
            assert!(!coin_base58(text), "{text}");
        }
    }

    #[test]
    fn witness_addresses() {
        // BIP 173 and BIP 350, valid and invalid vectors.
        for text in [
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
            "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
            "BC1SW50QGDZ25J",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        ] {
            assert!(bech32(text), "{text}");
        }
        for text in [
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kV8F3T4",
            "bc1gmk9yu",
            "tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty",
            "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
        ] {
            assert!(!bech32(text), "{text}");
        }
    }

    #[test]
    fn ethereum_addresses() {
        // EIP-55 vectors.
        for text in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359",
            "0xD1220A0CF47C7B9BE7A2E6BA89F429762E7B9ADB",
        ] {
            assert!(ethereum(text), "{text}");
        }
        for text in [
            "0x0000000000000000000000000000000000000000",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
            "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed00",
            "0xgaAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        ] {
            assert!(!ethereum(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_character_breaks_a_witness_address(place in 3usize..42, change in 1usize..32) {
            let alphabet = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
            let mut address = *b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
            let old = alphabet.iter().position(|c| *c == address[place]).unwrap();
            address[place] = alphabet[(old + change) % 32];
            prop_assert!(!bech32(std::str::from_utf8(&address).unwrap()));
        }
    }
}
