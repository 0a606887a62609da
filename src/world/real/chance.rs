//! Random bytes of the system, for keys.

use std::fs::File;
use std::io::{self, Read as _};

/// 32 bytes that nobody can guess.
///
/// # Errors
/// When the system gives none.
pub fn random() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::random;

    #[test]
    fn no_two_are_the_same() {
        let (one, two) = (random().unwrap(), random().unwrap());
        assert_ne!(one, two);
        assert_ne!(one, [0; 32]);
    }
}
