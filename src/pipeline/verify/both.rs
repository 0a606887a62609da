//! One pass over an archive for its manifest and for the tree that is held against it.

use super::compare::Compare;
use super::manifest::Builder;
use super::unpack::Visitor;

/// Two visitors of one pass.
pub(super) struct Both<'a, 'b>(pub(super) &'a mut Builder, pub(super) &'a mut Compare<'b>);

impl Visitor for Both<'_, '_> {
    fn begin(&mut self, path: &[u8], size: u64, mode: u32) {
        self.0.begin(path, size, mode);
        self.1.begin(path, size, mode);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.bytes(bytes);
        self.1.bytes(bytes);
    }

    fn never_built(&mut self) {
        self.0.never_built();
        self.1.never_built();
    }

    fn end(&mut self, sha256: Option<&[u8; 32]>) {
        self.0.end(sha256);
        self.1.end(sha256);
    }
}
