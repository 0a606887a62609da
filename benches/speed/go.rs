//! What an audit of a Go module cache costs, beside `go mod verify`, which judges by the weaker `go.sum`.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use crate::child::{Child, Cost, cost_of};
use crate::place::{copy, each};
use crate::rounds::{pairs, ratio, seconds, turns};
use crate::{answer, bare, bare_zip, go_log, rounds, say};

/// A question: its name, and what answers it.
type Question = (&'static str, fn(&Go) -> Result<String>);

const QUESTIONS: [Question; 5] = [
    ("go-zips", zips),
    ("go-trees", trees),
    ("go-unchanged", unchanged),
    ("go-log", go_log::look_ups),
    ("go-memory", memory),
];

/// Where everything is.
pub(crate) struct Go {
    pub(crate) program: PathBuf,
    pub(crate) project: PathBuf,
    /// Where a proxy hands out the log's data.
    pub(crate) log: Option<String>,
    pub(crate) work: PathBuf,
    pub(crate) rounds: usize,
    /// The module cache that was named.
    cache: PathBuf,
    /// A copy of what was downloaded, without unpacked trees.
    zips: PathBuf,
    /// State that knows what the log says, and no zip.
    claims: PathBuf,
}

/// Answers the chosen questions about a module cache.
pub(crate) fn run(cache: &Path, project: &Path, chosen: &[String]) -> Result<()> {
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("speed-go");
    let go = Go {
        program: PathBuf::from(env!("CARGO_BIN_EXE_untaint")),
        project: project.canonicalize()?,
        log: std::env::var("UNTAINT_BENCH_LOG").ok(),
        rounds: rounds(3),
        cache: cache.canonicalize()?,
        zips: work.join("zips"),
        claims: work.join("claims-state"),
        work,
    };
    go.prepare()?;
    say(&go.describe()?);
    answer(&go, &QUESTIONS, chosen)
}

impl Go {
    fn prepare(&self) -> Result<()> {
        let downloads = self.cache.join("cache/download");
        if !downloads.is_dir() {
            let why = format!("{} holds no cache/download", self.cache.display());
            return Err(Error::other(why));
        }
        let zips = self.zips.join("cache/download");
        if !zips.is_dir() {
            copy(&downloads, &zips)?;
        }
        // What the log says of every module, from the log data beside the `go.mod` files: no zip was ever seen.
        let claims = self.work.join("claims/cache/download");
        if !claims.is_dir() {
            copy_some(&downloads, &claims, &|path| {
                path.extension().is_some_and(|e| e == "mod")
                    || path.starts_with(downloads.join("sumdb"))
            })?;
        }
        if self.claims.is_dir() {
            std::fs::remove_dir_all(&self.claims)?;
        }
        std::fs::create_dir_all(&self.claims)?;
        self.audit(&self.work.join("claims"), &self.claims).run()
    }

    fn describe(&self) -> Result<String> {
        let mut packed = 0;
        let zips = bare_zip::zips(&self.cache)?;
        for zip in &zips {
            packed += std::fs::metadata(zip)?.len();
        }
        let (mut files, mut unpacked) = (0u64, 0u64);
        for entry in std::fs::read_dir(&self.cache)? {
            let entry = entry?;
            if entry.file_name() != "cache" && entry.file_type()?.is_dir() {
                each(&entry.path(), &mut |_, size| {
                    files += 1;
                    unpacked += size;
                })?;
            }
        }
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(format!(
            "{cores} cores; {} zips of {} MB; {files} unpacked files of {} MB",
            zips.len(),
            packed / 1_000_000,
            unpacked / 1_000_000
        ))
    }

    /// An offline scan that knows what is in `state`.
    fn audit(&self, cache: &Path, state: &Path) -> Child {
        Child::audit(&self.program, "go", cache)
            .state(state)
            .arg("--offline")
            .arg("--no-advisories")
    }

    fn verify(&self, cache: &Path) -> Result<Cost> {
        Child::tool("go", &self.project)
            .arg("mod")
            .arg("verify")
            .env("GOMODCACHE", cache)
            .env("GOFLAGS", "-mod=mod")
            .env("GOPROXY", "off")
            .env("GOTOOLCHAIN", "local")
            .cost()
    }

    /// A state that knows the log's answers and no zip.
    fn fresh(&self, name: &str) -> Result<PathBuf> {
        let state = self.work.join(name);
        if state.is_dir() {
            std::fs::remove_dir_all(&state)?;
        }
        copy(&self.claims, &state)?;
        Ok(state)
    }

    /// A state that has seen `cache` twice: nothing is new to it.
    fn learned(&self, name: &str, cache: &Path) -> Result<PathBuf> {
        let state = self.fresh(name)?;
        for _ in 0..2 {
            self.audit(cache, &state).run()?;
        }
        Ok(state)
    }

    /// Everything about full passes over a cache.
    fn passes(&self, cache: &Path, first_goal: u8, repeated_goal: u8) -> Result<String> {
        let state = self.learned("repeat-state", cache)?;
        let verify = || self.verify(cache);
        let bare = || cost_of(|| bare_zip::inflate(cache));
        let first = || {
            let state = self.fresh("first-state")?;
            self.audit(cache, &state).cost()
        };
        let repeated = || self.audit(cache, &state).arg("--full").cost();
        let [verify, bare, first, repeated] =
            turns(self.rounds, [&verify, &bare, &first, &repeated])?;
        Ok(format!(
            "go mod verify takes {} the first pass (goal: at least {first_goal})\n\
             {:13}go mod verify takes {} a repeated full pass (goal: at least {repeated_goal})\n\
             {:13}the first pass takes {} inflating and hashing (goal: at most 1.15 over zips alone)\n\
             {:13}go mod verify {}; inflating and hashing {}; first pass {}; repeated {}",
            ratio(&verify, &first),
            "",
            ratio(&verify, &repeated),
            "",
            ratio(&first, &bare),
            "",
            seconds(&verify),
            seconds(&bare),
            seconds(&first),
            seconds(&repeated),
        ))
    }
}

/// Zips alone.
fn zips(go: &Go) -> Result<String> {
    go.passes(&go.zips, 5, 25)
}

/// Zips and unpacked trees.
fn trees(go: &Go) -> Result<String> {
    go.passes(&go.cache, 4, 8)
}

/// A second run with nothing changed, beside a bare parallel walk with one look at every entry.
fn unchanged(go: &Go) -> Result<String> {
    let state = go.learned("unchanged-state", &go.cache)?;
    let bare = || bare::walk(&go.cache);
    let audit = || go.audit(&go.cache, &state).cost();
    let pair = pairs(go.rounds, bare, audit)?;
    Ok(format!(
        "{}, a bare parallel walk (goal: at most 2)",
        pair.said()
    ))
}

/// The most memory that each kind of run held.
fn memory(go: &Go) -> Result<String> {
    let first = go.fresh("first-state")?;
    let of = |child: Child| child.peak().map(|bytes| bytes as f64 / f64::from(1 << 20));
    let zips = go.fresh("zips-state")?;
    let zips = of(go.audit(&go.zips, &zips))?;
    let pass = of(go.audit(&go.cache, &first))?;
    go.audit(&go.cache, &first).run()?;
    let repeated = of(go.audit(&go.cache, &first).arg("--full"))?;
    let unchanged = of(go.audit(&go.cache, &first))?;
    Ok(format!(
        "peak MiB: first pass over zips {zips:.0}, over zips and trees {pass:.0}, repeated {repeated:.0}, nothing changed \
         {unchanged:.0} (goal: under 192)"
    ))
}

/// Copies the files that are wanted.
fn copy_some(from: &Path, to: &Path, wanted: &dyn Fn(&Path) -> bool) -> Result<()> {
    let mut files = Vec::new();
    each(from, &mut |path, _| {
        if wanted(path) {
            files.push(path.to_owned());
        }
    })?;
    for file in files {
        let target = to.join(file.strip_prefix(from).map_err(Error::other)?);
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::copy(&file, &target)?;
    }
    Ok(())
}
