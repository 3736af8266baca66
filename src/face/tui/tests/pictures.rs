//! The pictures of the README and the pages: the sample agency in the real view, kept current by the test that draws them. To draw
//! them anew after a change: `SNAPSHOTS=overwrite cargo test --lib pictures`.

use std::{fmt::Write as _, path::Path, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};
use snapbox::Data;

use super::noon;
use crate::{
    domain::{
        hours::Policy,
        journal::{Event, What},
        plan::{Action, Change, Plan, State},
    },
    edge::config,
    engine::{
        hours::{HoursQuery, Reckoned},
        run::Beside,
        session::Progress,
    },
    face::{
        demo::Demo,
        setup::Setup,
        stop::Stop,
        tui::{Film, news::News, state::timesheet::TimeNews, update::Msg},
    },
};

const SIZE: (u16, u16) = (120, 34);
/// Pixels of a cell.
const CELL: (f32, f32) = (8.4, 18.0);

/// The plan and the month of the sample agency at a fixed time.
fn sample() -> (Plan, Reckoned) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let setup = Setup::on(Demo::start(noon()).await.expect("a sandbox")).await.expect("settings");
        let opened =
            setup.installation.open("pictures", Beside::Refused, Duration::ZERO, Stop::default(), Arc::new(|_| ()));
        let mut runner = opened.await.expect("a runner");
        let planned = runner.run("pictures", async |session| {
            let (_, plan) = session.fetch_and_plan().await?;
            let zone = config::zone_named("Europe/Berlin").expect("a zone");
            let sides = session.sides().await?;
            let hours = HoursQuery { period: None, zone, policy: Policy::default() };
            let reckoned = session.hours_of(&sides, &hours).await?;
            session.close("planned").await?;
            Ok((plan, reckoned))
        });
        planned.await.expect("a plan")
    })
}

#[test]
fn the_pictures_of_the_readme_are_what_the_console_shows() {
    let (plan, reckoned) = sample();
    let mut film = Film::new(plan.clone(), SIZE, noon());
    film.press(&["a", ")", "("]);
    film.press(&[")", "!"]);
    film.type_text("ask Mara which name is right");
    film.press(&["enter", "z", "R", "(", ")"]);
    picture("review", film.frame());

    film.press(&["c"]);
    picture("conflict", film.frame());

    film.press(&["esc", "A", "P"]);
    picture("confirm", film.frame());

    film.type_text("9");
    film.press(&["enter"]);
    for event in half_way(&plan) {
        film.take(Msg::News(News::Progress(Progress::Happened(event))));
    }
    film.take(Msg::Tick(later(14)));
    picture("apply", film.frame());

    let mut film = Film::new(plan, SIZE, noon());
    film.press(&["5"]);
    film.take(Msg::News(News::Time(Box::new(TimeNews::Figures(reckoned)))));
    film.press(&["j"; 24]);
    picture("hours", film.frame());
}

fn later(seconds: i64) -> Timestamp {
    noon() + SignedDuration::from_secs(seconds)
}

/// Half of the changes applied, and one that was refused.
fn half_way(plan: &Plan) -> Vec<Event> {
    let ready = |change: &&Change| change.state == State::Ready;
    let changes: Vec<&Change> = plan.changes.iter().filter(ready).take(16).collect();
    let unlucky = changes.iter().rposition(|change| change.proposal.action == Action::Create).expect("a create");
    let event = |number: i64, what| Event { run: "20261123".parse().expect("a run"), at: later(number / 2), what };
    let told = (1..).zip(&changes).enumerate().map(|(at, (number, change))| {
        let change = change.id;
        event(
            number,
            if at == unlucky {
                let error = "Clockify refused it (400): the name is already used".to_owned();
                What::Failed { change, error: error.into(), hint: "look for it among archived projects".into() }
            } else {
                What::Applied { change }
            },
        )
    });
    let events: Vec<Event> = told.collect();
    events
}

/// Holds a frame against the picture in `assets/`.
fn picture(name: &str, frame: &Buffer) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/console-{name}.svg"));
    let expected = Data::read_from(&path, Some(snapbox::data::DataFormat::Text));
    snapbox::assert_data_eq!(svg(frame), expected.raw());
}

/// A frame as a drawing: rows of text in the cells' colours, each run stretched to the cells that it takes.
fn svg(frame: &Buffer) -> String {
    let (columns, rows) = (frame.area.width, frame.area.height);
    let (width, height) = (f32::from(columns) * CELL.0 + 16.0, f32::from(rows) * CELL.1 + 16.0);
    let mut drawing = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"ui-monospace, Menlo, \
         'DejaVu Sans Mono', monospace\" font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#16181d\"/>\n"
    );
    for row in 0..rows {
        let mut column = 0;
        while column < columns {
            let first = &frame[(column, row)];
            let mut text = String::new();
            let start = column;
            while column < columns && style(&frame[(column, row)]) == style(first) {
                text.push_str(frame[(column, row)].symbol());
                column += 1;
            }
            run(&mut drawing, first, &text, (start, column - start, row));
        }
    }
    drawing + "</svg>\n"
}

fn style(cell: &Cell) -> (Color, Color, Modifier) {
    (cell.fg, cell.bg, cell.modifier)
}

/// Draws a run of cells of one style; nothing where it is blank.
fn run(drawing: &mut String, cell: &Cell, text: &str, (column, cells, row): (u16, u16, u16)) {
    let reversed = cell.modifier.contains(Modifier::REVERSED);
    if text.trim().is_empty() && !reversed {
        return;
    }
    let (x, y) = (8.0 + f32::from(column) * CELL.0, 8.0 + f32::from(row) * CELL.1);
    let length = f32::from(cells) * CELL.0;
    let ink = colour(if cell.bg == Color::Reset { cell.fg } else { cell.bg });
    let ink = if reversed || cell.bg != Color::Reset {
        let height = CELL.1;
        writeln!(drawing, "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{height}\" fill=\"{ink}\"/>")
            .expect("memory");
        "#16181d"
    } else {
        ink
    };
    let weight = if cell.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let y = y + 13.5;
    writeln!(
        drawing,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\" fill=\"{ink}\"{weight} xml:space=\"preserve\">{text}</text>"
    )
    .expect("memory");
}

/// The 16 colours, as a usual dark scheme has them.
fn colour(colour: Color) -> &'static str {
    match colour {
        Color::LightCyan => "#56d4dd",
        Color::LightYellow => "#e3b341",
        Color::LightGreen => "#7ee787",
        _ => "#d7dae0",
    }
}
