//! The conformance driver: reads one JSON object a line, does what it says by the client, and answers each with
//! one JSON line, in order. What the operations are is described in clients/conformance.

mod session;
mod types;

use std::io::{BufRead, Write};

use serde_json::{Value, json};
use session::Session;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut session = Session::default();
    let mut out = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let asked: Value = serde_json::from_str(&line)?;
        if asked["op"] == "quit" {
            writeln!(out, "{}", json!({"ok": {}}))?;
            return Ok(());
        }
        let answer = match session.run(&asked).await {
            Ok(told) => json!({"ok": told}),
            Err(error) => json!({"error": {
                "code": error.code().name(), "message": error.message(), "retryable": error.retryable()}}),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
