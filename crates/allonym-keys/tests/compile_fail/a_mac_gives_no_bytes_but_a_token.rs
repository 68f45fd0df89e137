use allonym_keys::Mac;

fn bytes(mac: Mac) -> [u8; 32] {
    mac.0
}

fn main() {
    let _ = bytes;
}
