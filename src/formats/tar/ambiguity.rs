//! The ways in which a tar archive can be read as two different ones.

use crate::formats::ambiguity::{Weighed, Weight};
use crate::formats::names::{Clash, NameFlaw};

/// A numeric header field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NumberField {
    /// Permission bits.
    Mode,
    /// Bytes of content.
    Size,
    /// Modification time.
    Mtime,
}

/// One way in which readers can disagree about a member, or about the archive as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TarAmbiguity {
    /// The name is treated differently by tools.
    Name(NameFlaw),
    /// Two members want one place.
    Clash(Clash),
    /// A long name and a PAX path that differ: the `tar` crate takes the former, GNU tar the latter.
    TwoNames,
    /// As `TwoNames`, for the target of a link.
    TwoLinkNames,
    /// An extension gives another name although the header could hold it; a reader without the extension sees
    /// the header's.
    NeedlessLongName,
    /// A PAX size differs from the header's; older readers take the header's.
    PaxSize,
    /// A PAX size stands before another extension header, to which the `tar` crate applies it.
    PaxSizeBeforeExtension,
    /// One PAX key twice: the first counts for the `tar` crate, the last for others.
    PaxDuplicate,
    /// A PAX path, link path or size without a value.
    PaxEmpty,
    /// A global PAX path, link path or size: ignored by the `tar` crate, applied by others.
    PaxGlobal,
    /// A line end inside a PAX record: the `tar` crate takes what follows for a record of its own.
    PaxLines,
    /// A global PAX header between an extension header and its member: the `tar` crate takes it for the member.
    PaxGlobalBetween,
    /// PAX records of a sparse file, which GNU tar and Python put together from a map.
    PaxSparse,
    /// Two extension headers of one kind before one member.
    RepeatedExtension,
    /// An extension header without magic: an ordinary member to some.
    ExtensionWithoutMagic,
    /// A magic that is neither POSIX nor GNU nor absent.
    Magic,
    /// A name prefix in a header that has none by its magic; Python uses it all the same.
    PrefixWithoutUstar,
    /// A link, device, pipe or unknown type: created by some, dropped or refused by others.
    Irregular(u8),
    /// A regular file whose name ends in a slash: a folder to some.
    FileWithSlash,
    /// Content for a member that has none by its type; readers differ in whether they skip it.
    SizeOnNonFile,
    /// A number field that is not written as usual.
    Number(NumberField),
    /// Mode bits for set-id or sticky.
    SpecialMode,
    /// A member outside the one folder that was expected.
    OutsideTop,
    /// The space behind a member's content is not zero.
    Padding,
    /// Data behind the end mark: readers that ignore a lone zero block, or go on after the mark, see members there.
    TrailingData,
    /// Fewer than two zero blocks at the end.
    MissingEnd,
}

impl Weighed for TarAmbiguity {
    fn weight(&self) -> Weight {
        match self {
            Self::Name(flaw) => flaw.weight(),
            Self::Clash(clash) => clash.weight(),
            Self::Number(NumberField::Mode | NumberField::Mtime)
            | Self::SpecialMode
            | Self::Padding
            | Self::MissingEnd => Weight::Odd,
            Self::TwoNames
            | Self::TwoLinkNames
            | Self::NeedlessLongName
            | Self::PaxSize
            | Self::PaxSizeBeforeExtension
            | Self::PaxDuplicate
            | Self::PaxEmpty
            | Self::PaxGlobal
            | Self::PaxLines
            | Self::PaxGlobalBetween
            | Self::PaxSparse
            | Self::RepeatedExtension
            | Self::ExtensionWithoutMagic
            | Self::Magic
            | Self::PrefixWithoutUstar
            | Self::Irregular(_)
            | Self::FileWithSlash
            | Self::SizeOnNonFile
            | Self::Number(NumberField::Size)
            | Self::OutsideTop
            | Self::TrailingData => Weight::Splits,
        }
    }
}
