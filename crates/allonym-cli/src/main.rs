//! The `allonym` command.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let environment = allonym::Environment::new(std::env::vars());
    ExitCode::from(allonym_cli::main_with(std::env::args_os().collect(), environment))
}
