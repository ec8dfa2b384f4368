//! A mistyped subcommand, which the command line takes for a file.

use std::path::Path;

use clap::CommandFactory as _;

use crate::args::Cli;

/// How alike two words must be: 1 for equal words. clap uses the same value for its suggestions.
const MIN_SIMILARITY: f64 = 0.8;

/// The message for a first file that does not exist and whose name is nearly that of a subcommand.
pub(crate) fn mistyped_subcommand(file: &Path) -> Option<String> {
    let word = file.to_str()?;
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    if !is_word || word == "-" || file.exists() {
        return None;
    }
    let nearest = nearest(word)?;
    Some(format!(
        "no subcommand and no file has the name {word}: did you mean `triage {nearest}`? (`triage --help` lists the \
         subcommands; a file of that name would be `./{word}`)"
    ))
}

fn nearest(word: &str) -> Option<String> {
    let word = word.to_ascii_lowercase();
    let command = Cli::command();
    let names =
        command.get_subcommands().map(|command| command.get_name().to_owned()).chain(["help".to_owned()]);
    let similar = names.map(|name| (strsim::jaro(&word, &name), name));
    similar
        .filter(|(similarity, _)| *similarity > MIN_SIMILARITY)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_word_that_is_no_file_is_a_typo() {
        for (word, want) in [
            ("folow", Some("follow")),
            ("follwo", Some("follow")),
            ("explian", Some("explain")),
            ("Test", Some("test")),
            ("bactest", Some("backtest")),
            ("rule", Some("rules")),
            ("complétions", None),
            ("night", None),
            ("upcommerce.log", None),
            ("./folow", None),
            ("-", None),
        ] {
            let message = mistyped_subcommand(Path::new(word));
            let told =
                message.as_ref().and_then(|message| message.split_once("`triage ")?.1.split('`').next());
            assert_eq!(told, want, "{word}");
        }
        // A file that exists is read, whatever its name is.
        assert_eq!(mistyped_subcommand(Path::new("src")), None);
    }
}
