//! `tutti chat`: talks with a workflow whose input and output are messages. Each line said is
//! a turn: an execution of its own with all the messages so far. `conversation` keeps them,
//! `turn` runs one execution, `answer` decides what of it is printed.

mod answer;
mod conversation;
mod lines;
mod turn;

use std::io::IsTerminal as _;

use serde_json::json;
use uuid::Uuid;

use super::{
    failure::Failure,
    global::Global,
    input::fetch,
    output::{self, Tone},
    session,
    start::{Chosen, label},
};
use answer::Screen;
use conversation::Conversation;
use lines::{Line, Lines};

/// Talks with a workflow that takes and gives messages
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The workflow is given {messages: [{role, content}]} and gives {role: assistant, content}; each
line is one turn with all the messages so far. On a terminal what agents say is shown while they
say it; /quit or Ctrl-D ends the chat, Ctrl-C takes the turn back. Without a terminal each line
of stdin is a turn and stdout gets the answers alone, with --output json as messages.

Examples:
  tutti chat examples/chat.yaml
  tutti chat support@3 --system 'Answer in one sentence.'
  tutti chat support --message 'Where is my order?' --message 'And when does it come?'
  tutti chat support --message @letter.txt --output json
  tutti chat support --after 0193f4c2-…            goes on after the turn that this execution was")]
pub struct Args {
    /// A definition's FILE (nothing stays registered), or a registered NAME or NAME@VERSION
    #[arg(value_name = "FILE|NAME")]
    subject: String,

    /// What to say, instead of reading lines; @FILE: the file's text, -: all of stdin. Repeat it
    /// for several turns
    #[arg(long = "message", short, value_name = "TEXT|@FILE|-")]
    messages: Vec<String>,

    /// A first message of the role `system`
    #[arg(long, value_name = "TEXT|@FILE")]
    system: Option<String>,

    /// Goes on after the turn that this execution was
    #[arg(long, value_name = "EXECUTION", conflicts_with = "system")]
    after: Option<String>,

    /// A label of every turn's execution, for finding them
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
}

/// Talks until there is nothing more to say.
///
/// # Errors
/// `Failure::Ended` when a turn fails without a terminal, or gives no message; those of starting.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let mut lines = match args.messages.as_slice() {
        [] => Lines::of_stdin(),
        messages => Lines::given(texts(messages)?),
    };
    let session = session::open(global).await?;
    let mut conversation = match &args.after {
        Some(id) => Conversation::after(&session.get(id).await?)?,
        None => Conversation::begin(args.system.as_deref().map(text).transpose()?),
    };
    let mut labels: std::collections::HashMap<_, _> = args.labels.iter().cloned().collect();
    let chat = Uuid::now_v7().to_string();
    labels.entry("chat".to_owned()).or_insert(chat);
    let chosen = Chosen::of(&args.subject, &session, global).await?;
    let interactive = lines.is_stdin() && std::io::stdin().is_terminal();
    let mut screen = Screen::new(std::io::stdout().is_terminal() && !global.json());
    loop {
        if interactive {
            eprint!("{} ", global.stderr().tone(Tone::Busy, "you>"));
        }
        let said = match lines.next().await {
            Line::End => break,
            Line::Interrupt => return Err(Failure::Interrupted(String::new())),
            Line::Text(said) => said,
        };
        match said.trim() {
            "" => continue,
            "/quit" | "/exit" if interactive => break,
            _ => {}
        }
        conversation.ask(said);
        match turn::run(&session, &chosen, &labels, &conversation, &mut screen).await {
            Ok(answer) => {
                if global.json() {
                    let message = json!({"role": "assistant", "content": answer});
                    output::print(&message.to_string())?;
                } else {
                    turn::show(&screen.answer(&answer))?;
                }
                conversation.answer(answer);
            }
            Err(failure @ (Failure::Ended(_) | Failure::Interrupted(_))) if interactive => {
                conversation.take_back();
                screen.forget();
                eprintln!("{}", global.stderr().tone(Tone::Bad, &failure.to_string()));
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(())
}

fn texts(given: &[String]) -> Result<Vec<String>, Failure> {
    given.iter().map(|given| text(given)).collect()
}

fn text(given: &str) -> Result<String, Failure> {
    fetch("--message", given, &mut std::io::stdin().lock())
}
