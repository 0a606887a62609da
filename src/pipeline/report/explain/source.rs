//! Pages of the class source: where things come from, and what runs on the way.

use super::Page;

pub(super) const SOURCE_REDIRECTED: Page = Page {
    means: "Settings make the tool take packages from another place than the registry that the lockfile names, and \
         that place is neither known nor pinned.",
    found: "Settings are read along the tool's own search path, from the user's folder and from the environment, and \
         resolved as the tool does.",
    act: "If the redirection is yours, pin the mirror: `untaint trust discover` prints the command. If not, remove the setting that the \
         report names.",
    false_alarms: "Company mirrors and vendored folders are redirections with good reason; pinned mirrors and vendored \
         folders that verify are no finding. Where a believed log judges what comes all the same (Go's), the severity is \
         medium, which stops nothing by default.",
    example: "A `.cargo/config.toml` in a pull request replaces the registry by a folder within the project.",
};

pub(super) const CHECKSUM_DATABASE_DISABLED: Page = Page {
    means: "A setting turns off the log that would notice a replaced module.",
    found: "Settings and environment are read as the tool reads them: for Go GOSUMDB, GONOSUMDB and GOPRIVATE that name \
         everything, and GOPROXY where it is one folder, since Go then takes toolchains unasked.",
    act: "Remove the setting (`go env -u NAME` where it stands in Go's own file); for private modules name only those \
         as private.",
    false_alarms: "Networks without access to the log need it; verify such modules with imported claims.",
    example: "An environment variable that was set once to get a build through and never removed.",
};

pub(super) const INSECURE_TRANSPORT: Page = Page {
    means: "A setting allows transport that anyone on the way can change: plain http, checks of certificates turned \
         off, or a certificate authority from a scanned folder.",
    found: "Addresses and switches are read from settings and environment.",
    act: "Use https and remove the switch. A company's certificate belongs into the system's store or the user's \
         settings.",
    false_alarms: "Addresses of this machine itself (loopback) are not reported.",
    example: "A project's settings name an own certificate file, so that a proxy can answer for the registry.",
};

pub(super) const EXTRA_INDEX: Page = Page {
    means: "Settings add a further index. A name that exists in both can then come from the wrong one.",
    found: "Settings, requirement files and environment are read as the tool reads them.",
    act: "Bind each private name to its own index, or let one index serve both.",
    false_alarms: "Tools that bind every name to one source are not affected.",
    example: "Somebody publishes a private package's name on the public index with a higher version.",
};

pub(super) const PLACE_REDIRECTED: Page = Page {
    means: "A scanned folder moves a cache or a store, possibly to a place that others fill.",
    found: "Settings in scanned folders are read as the tool reads them; the place is audited too.",
    act: "Remove the setting from the project; set places in your own settings or environment.",
    false_alarms: "Projects that keep their cache inside the project do it on purpose; check who can write there.",
    example: "A settings file in a repository sets the download folder to one inside the repository, with archives in \
         it.",
};

pub(super) const CODE_IN_SETTINGS: Page = Page {
    means: "A setting makes the tool run a program of its own choice: a wrapper, a helper for credentials, scripts \
         turned on again, a compiler or toolchain of somebody's own.",
    found: "Settings along the tool's search path and the environment are read; nothing that they name is ever run. Flags \
         that are not on a short list of harmless ones count as code. High where a scanned folder says it or holds the \
         program, medium otherwise.",
    act: "Check that the program is the one that you meant, and set it in your own settings instead of the \
         project's.",
    false_alarms: "Compiler caches such as sccache are set this way by many people: by their name alone they are shown and \
         stop nothing. Variables that untaint does not know are shown in the same way.",
    example: "`rustc-wrapper` in a pull request's settings points to a script in the same pull request.",
};

pub(super) const LOOKALIKE_NAME: Page = Page {
    means: "The name is very close to that of a much better known package.",
    found: "Names are compared with well-known ones by the slips that people make when typing and reading.",
    act: "Check that you meant this one.",
    false_alarms: "Honest packages have such names too, forks above all.",
    example: "One letter doubled in the name of a popular parser.",
};

pub(super) const INSTALL_SCRIPT: Page = Page {
    means: "The package runs a script of its own when it is installed.",
    found: "Published facts and the archive itself say so.",
    act: "Nothing, as long as the package is trusted; some tools can be told to run scripts of named packages \
         only.",
    false_alarms: "Compiling native code at installation is the usual honest reason.",
    example: "A postinstall script that downloads a program.",
};

pub(super) const SUSPICIOUS_CONTENT: Page = Page {
    means: "Published content matches a rule for malicious code. The bytes are what was published; the question is \
         whether they should have been.",
    found: "Rules look at what runs first: build and install scripts, entry points.",
    act: "Read the lines that the report names before you build.",
    false_alarms: "Minified code, tests with encoded data and tools for security research match now and then.",
    example: "A build script that decodes a long text and hands it to a shell.",
};
