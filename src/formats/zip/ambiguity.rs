//! The ways in which a zip archive can be read as two different ones.

use crate::formats::ambiguity::{Weighed, Weight};
use crate::formats::names::{Clash, NameFlaw};

/// One way in which readers can disagree about a member, or about the archive as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ZipAmbiguity {
    /// The name is treated differently by tools.
    Name(NameFlaw),
    /// Two members want one place.
    Clash(Clash),
    /// The name is not ASCII and not marked as UTF-8: Python decodes it as code page 437, Go as UTF-8.
    NameEncoding,
    /// An extra field gives another name, which some tools prefer.
    UnicodeName,
    /// Outside the prefix that was expected.
    OutsideTop,
    /// A symbolic link, device or pipe: created by some, written as a file by others.
    Irregular,
    /// A folder by its mode, but a file by its name, or the other way round.
    FolderOrFile,
    /// A folder with content.
    FolderWithContent,
    /// Mode bits for set-id or sticky.
    SpecialMode,
    /// Encrypted content.
    Encrypted,
    /// A compression method that not every reader has.
    Method(u16),
    /// Stored, but with two different sizes.
    StoredSize,
    /// The local header has another name.
    LocalName,
    /// The local header has another method.
    LocalMethod,
    /// The local header has other flags that decide about reading.
    LocalFlags,
    /// The local header has another size.
    LocalSize,
    /// The local header has another CRC.
    LocalChecksum,
    /// The local header has another time or option flag.
    LocalOther,
    /// The data descriptor is missing or says something else.
    Descriptor,
    /// Extra fields that do not fill their space.
    Extra,
    /// Several zip64 extra fields in one header.
    RepeatedZip64,
    /// Two members share bytes.
    Overlap,
    /// Bytes between members, or between the last one and the directory, that belong to none. A reader that starts
    /// at the front may find members there.
    Gap,
    /// Bytes before the first member, or offsets that do not count from the beginning of the file.
    Prefix,
    /// Bytes behind the end record.
    TrailingData,
    /// A second end record behind the chosen one.
    SeveralEnds,
    /// The zip64 end record is not where every reader looks for it.
    Zip64Place,
    /// The end record and the zip64 end record differ.
    EndsDiffer,
    /// The number of members is not what the end record states.
    Count,
}

impl Weighed for ZipAmbiguity {
    fn weight(&self) -> Weight {
        match self {
            Self::Name(flaw) => flaw.weight(),
            Self::Clash(clash) => clash.weight(),
            Self::SpecialMode | Self::LocalOther | Self::Extra => Weight::Odd,
            Self::NameEncoding
            | Self::UnicodeName
            | Self::OutsideTop
            | Self::Irregular
            | Self::FolderOrFile
            | Self::FolderWithContent
            | Self::Encrypted
            | Self::Method(_)
            | Self::StoredSize
            | Self::LocalName
            | Self::LocalMethod
            | Self::LocalFlags
            | Self::LocalSize
            | Self::LocalChecksum
            | Self::Descriptor
            | Self::RepeatedZip64
            | Self::Overlap
            | Self::Gap
            | Self::Prefix
            | Self::TrailingData
            | Self::SeveralEnds
            | Self::Zip64Place
            | Self::EndsDiffer
            | Self::Count => Weight::Splits,
        }
    }
}
