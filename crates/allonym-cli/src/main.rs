//! The `allonym` command.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // What is not UTF-8 gets a replacement character: a path of ours is then reported as missing,
    // where `vars` would panic over any variable of anyone.
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let variables = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
    let environment = allonym::Environment::new(variables);
    ExitCode::from(allonym_cli::main_with(std::env::args_os().collect(), environment))
}
