//! The proof of the key, both ways, by HMAC-SHA256 (RFC 2104) over fresh nonces.
//!
//! Each side's proof covers both nonces and its own role, so that neither an old one nor the other
//! side's own can be sent back to it. The server's covers also what it says of itself.

use hmac::{Hmac, KeyInit, Mac};
use purlin_process::Key;
use sha2::Sha256;

use super::{ClientId, ServerId};

/// What both sides begin with; the last byte is the protocol's version.
pub(crate) const MAGIC: [u8; 8] = *b"PURLINM\x01";

pub(crate) const NONCE_BYTES: usize = 32;
pub(crate) const MAC_BYTES: usize = 32;
pub(crate) const GREETING_BYTES: usize = MAGIC.len() + NONCE_BYTES;
pub(crate) const PROOF_BYTES: usize = MAGIC.len() + NONCE_BYTES + size_of::<ClientId>() + MAC_BYTES;
pub(crate) const WELCOME_BYTES: usize = 1 + size_of::<ServerId>() + size_of::<u64>() + MAC_BYTES;

const WELCOME: u8 = b'w';
const REFUSED: u8 = b'r';

pub(crate) type Nonce = [u8; NONCE_BYTES];

/// What a server sends first.
pub(crate) fn greeting(nonce: &Nonce) -> Vec<u8> {
    [&MAGIC[..], nonce].concat()
}

/// The nonce in a greeting of this version.
pub(crate) fn read_greeting(bytes: &[u8; GREETING_BYTES]) -> Option<Nonce> {
    bytes.strip_prefix(&MAGIC)?.try_into().ok()
}

/// What a client answers.
pub(crate) fn proof(key: &Key, server: &Nonce, own: &Nonce, client: &ClientId) -> Vec<u8> {
    let mac = client_mac(key, server, own, client).finalize().into_bytes();
    [&MAGIC[..], own, client, &mac].concat()
}

/// Who has proved that it has the key, and with which nonce.
pub(crate) fn check_proof(
    key: &Key,
    own: &Nonce,
    bytes: &[u8; PROOF_BYTES],
) -> Option<(Nonce, ClientId)> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>()?;
    let (client, mac) = rest.split_first_chunk::<{ size_of::<ClientId>() }>()?;
    // Compares in a time that does not depend on where they differ.
    client_mac(key, own, nonce, client).verify_slice(mac).ok()?;
    Some((*nonce, *client))
}

/// What a server says at last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Welcome {
    pub(crate) server: ServerId,
    /// The longest message that it takes, in bytes.
    pub(crate) limit: u64,
}

/// Both nonces and the client, of one handshake.
pub(crate) struct Handshake {
    pub(crate) server: Nonce,
    pub(crate) client: Nonce,
    pub(crate) who: ClientId,
}

impl Handshake {
    pub(crate) fn welcome(&self, key: &Key, said: Welcome) -> Vec<u8> {
        let mac = self.server_mac(key, said).finalize().into_bytes();
        [&[WELCOME][..], &said.server, &said.limit.to_le_bytes(), &mac].concat()
    }

    /// What the server has proved to have said; `None` where it proved nothing.
    pub(crate) fn check_welcome(&self, key: &Key, bytes: &[u8; WELCOME_BYTES]) -> Option<Welcome> {
        let rest = bytes.strip_prefix(&[WELCOME])?;
        let (server, rest) = rest.split_first_chunk::<{ size_of::<ServerId>() }>()?;
        let (limit, mac) = rest.split_first_chunk::<{ size_of::<u64>() }>()?;
        let said = Welcome { server: *server, limit: u64::from_le_bytes(*limit) };
        self.server_mac(key, said).verify_slice(mac).ok()?;
        Some(said)
    }

    fn server_mac(&self, key: &Key, said: Welcome) -> Hmac<Sha256> {
        let mac = keyed(key).chain_update(b"server").chain_update(self.client);
        let mac = mac.chain_update(self.server).chain_update(self.who);
        mac.chain_update(said.server).chain_update(said.limit.to_le_bytes())
    }
}

/// What who has not proved the key is told.
pub(crate) fn refusal() -> Vec<u8> {
    let mut bytes = vec![0; WELCOME_BYTES];
    bytes[0] = REFUSED;
    bytes
}

fn client_mac(key: &Key, server: &Nonce, client: &Nonce, who: &ClientId) -> Hmac<Sha256> {
    let mac = keyed(key).chain_update(b"client").chain_update(server);
    mac.chain_update(client).chain_update(who)
}

fn keyed(key: &Key) -> Hmac<Sha256> {
    Hmac::new_from_slice(key.as_bytes()).unwrap_or_else(|_| unreachable!("keys have any length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_prove_the_key_and_nothing_is_taken_twice() {
        let (key, other) = (Key::random(), Key::random());
        let (server, client, who) = ([1; 32], [2; 32], [3; 16]);
        let proved: [u8; PROOF_BYTES] = proof(&key, &server, &client, &who).try_into().unwrap();
        assert_eq!(check_proof(&key, &server, &proved), Some((client, who)));
        assert_eq!(check_proof(&other, &server, &proved), None);
        assert_eq!(check_proof(&key, &[9; 32], &proved), None, "another greeting");
        for place in 0..PROOF_BYTES {
            let mut changed = proved;
            changed[place] ^= 1;
            assert_eq!(check_proof(&key, &server, &changed), None, "byte {place}");
        }
        let handshake = Handshake { server, client, who };
        let said = Welcome { server: [4; 16], limit: 5 };
        let welcome: [u8; WELCOME_BYTES] = handshake.welcome(&key, said).try_into().unwrap();
        assert_eq!(handshake.check_welcome(&key, &welcome), Some(said));
        assert_eq!(handshake.check_welcome(&other, &welcome), None);
        for place in 0..WELCOME_BYTES {
            let mut changed = welcome;
            changed[place] ^= 1;
            assert_eq!(handshake.check_welcome(&key, &changed), None, "byte {place}");
        }
        let refused: [u8; WELCOME_BYTES] = refusal().try_into().unwrap();
        assert_eq!(handshake.check_welcome(&key, &refused), None);
    }
}
