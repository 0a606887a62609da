//! Pages of the classes advisory, malicious, indicator and revoked: what was published is known to be bad.

use super::Page;

pub(super) const VULNERABLE: Page = Page {
    means: "A security advisory covers the version that is locked or cached. The bytes may well be genuine: the \
         genuine code has the flaw.",
    found: "Names and versions are matched with advisory data, by source and name: a private package never matches \
         its public namesake. The first line of the report says how old the data is.",
    act: "Update to a version that the advisory names as fixed, or read it and waive it with a reason and a date \
         if the flaw cannot be reached.",
    false_alarms: "Advisories describe packages, not how you use them; features that are off still match.",
    example: "A parser in a locked version overflows on input that your server takes from the network.",
};

pub(super) const UNSOUND: Page = Page {
    means: "An advisory says that safe code can cause undefined behaviour by using this version.",
    found: "Matched like a vulnerability, but of an informational kind.",
    act: "Read the advisory; update where it names a fixed version.",
    false_alarms: "Many cases need code that nobody writes.",
    example: "A function hands out two mutable references to the same value.",
};

pub(super) const UNMAINTAINED: Page = Page {
    means: "An advisory says that nobody looks after this package any more. Flaws found from now on stay.",
    found: "Matched like a vulnerability, but of an informational kind.",
    act: "Plan a replacement; advisories usually name some.",
    false_alarms: "Finished packages need little care; it is no sign of danger by itself.",
    example: "The author archived the repository and points to a successor.",
};

pub(super) const MALICIOUS: Page = Page {
    means: "An advisory says that this version does harm on purpose.",
    found: "Names and versions are matched with advisory data and with our own records of poisoned releases. A score \
         plays no role and the finding cannot be waived.",
    act: "Do not build. If it was ever built or installed here, take the machine's credentials for stolen: change \
         them from another machine.",
    false_alarms: "Rarely an advisory names too many versions; its page tells.",
    example: "A popular package is taken over and a patch release sends environment variables away.",
};

pub(super) const INDICATOR_MATCH: Page = Page {
    means: "A file, digest or name matches a recorded trace of a known attack.",
    found: "Digests and names that the scan meets are compared with the list of indicators.",
    act: "Treat it like `malicious`, and look for the other traces of the same attack.",
    false_alarms: "Traces that are too general match innocent files; the record's source tells.",
    example: "The digest of a cached archive equals that of a poisoned release which was deleted everywhere.",
};

pub(super) const REVOKED: Page = Page {
    means: "The publisher, or the authority behind its signature, took the release back.",
    found: "Revocations that come with signatures and logs are checked at each run.",
    act: "Move to a release that is not revoked.",
    false_alarms: "A key that is retired in an orderly way does not revoke what it signed before.",
    example: "The key that signed a release was stolen, and everything signed after that day is revoked.",
};
