//! `watcher schema`: JSON Schemas of what the program writes for other programs.

use breaker_core::webhook::CloudEvent;
use schemars::generate::SchemaSettings;

use crate::cli::exit::Exit;
use crate::cli::format::SchemaSubject;
use crate::output::event::{AnyEvent, EventLine};
use crate::output::stdout::print;

pub(crate) fn schema(subject: SchemaSubject) -> anyhow::Result<Exit> {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let schema = match subject {
        SchemaSubject::Events => generator.into_root_schema_for::<EventLine<AnyEvent>>(),
        SchemaSubject::Notification => generator.into_root_schema_for::<CloudEvent>(),
    };
    print(&(serde_json::to_string_pretty(&schema)? + "\n"))?;
    Ok(Exit::Done)
}
