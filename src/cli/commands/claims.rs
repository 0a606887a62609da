//! `untaint claims export|import`: what known roots have said, carried from machine to machine.

use crate::cli::args::{ClaimsArgs, ClaimsCommand, Common, NamedFile};
use crate::cli::exit::Exit;
use crate::cli::open::open;
use crate::cli::settings::Base;
use crate::cli::{Ports, fail, print};
use crate::model::text::printable;
use crate::trust::claims::ClaimStore;
use crate::world::real::World;
use crate::world::{Clock as _, ReadFs as _, StateDir};

const LARGEST: u64 = 1 << 30;

/// Exports or imports claims.
pub(in crate::cli) fn run(args: &ClaimsArgs, ports: &Ports<'_>) -> Exit {
    let done = match &args.command {
        ClaimsCommand::Export { file, common } => export(file.as_deref(), common, ports),
        ClaimsCommand::Import { file, common } => import(file, common, ports),
    };
    match done {
        Ok(bytes) => print(ports, &bytes),
        Err(why) => fail(ports, &why),
    }
}

fn machine(common: &Common, ports: &Ports<'_>) -> Result<World, String> {
    let base = Base::load(common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    if base.isolated {
        return Err("with --isolated there is no memory to export or import".to_owned());
    }
    Ok(open(&base, ports.sinks))
}

fn state(world: &World) -> Result<&dyn StateDir, String> {
    match &world.state {
        Some(state) => Ok(state),
        None => Err("no state folder: set UNTAINT_HOME to a folder".to_owned()),
    }
}

fn store(world: &World) -> Result<ClaimStore, String> {
    let (store, problems) = ClaimStore::open(Some(state(world)?), world.clock.now());
    match problems.first() {
        None => Ok(store),
        Some(problem) => Err(format!("{}: {}", problem.path, problem.message)),
    }
}

/// Writes the file, or the bytes themselves to standard output; the digest to name the file with is said.
fn export(
    file: Option<&std::path::Path>,
    common: &Common,
    ports: &Ports<'_>,
) -> Result<Vec<u8>, String> {
    let world = machine(common, ports)?;
    let (bytes, digest) = store(&world)?.export(&|_| true);
    let Some(path) = file else {
        ports.sinks.stderr(format!("{digest}\n").as_bytes());
        return Ok(bytes);
    };
    ports.sinks.file(path, &bytes).map_err(|e| e.to_string())?;
    let name = printable(&path.to_string_lossy());
    Ok(format!("{name}@{digest}\n").into_bytes())
}

fn import(file: &NamedFile, common: &Common, ports: &Ports<'_>) -> Result<Vec<u8>, String> {
    let world = machine(common, ports)?;
    let bytes = world
        .fs
        .read_named(&file.path, LARGEST)
        .map_err(|e| e.to_string())?;
    let store = store(&world)?;
    let taken = store
        .import(bytes, file.digest.as_ref())
        .map_err(|e| format!("{}: {e}", file.path.to_string_lossy()))?;
    store
        .flush(state(&world)?)
        .map_err(|problem| format!("{}: {}", problem.path, problem.message))?;
    let mut line = format!(
        "taken: {} listings, {} manifests, {} others; left: {}\n",
        taken.listings, taken.manifests, taken.others, taken.left
    );
    if file.digest.is_none() {
        line.push_str("without @sha256:HEX its listings count as declared only\n");
    }
    Ok(line.into_bytes())
}
