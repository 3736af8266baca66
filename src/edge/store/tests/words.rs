//! The log is found by its words as it would be by looking through all of it, whatever became of it and of its index.

use std::ops::ControlFlow;

use proptest::{prelude::*, sample::Index};

use super::{log::rename, *};
use crate::domain::audit::line_of;

/// Names that are hard to find: other cases of their letters have other lengths, or depend on where they stand; they
/// hold what queries and filters mean something by; they are short, long, or written with signs alone.
const NAMES: [&str; 16] = [
    "Acme",
    "Acme Corp",
    "acmé",
    "ACME\u{301}",
    "Straße 4711",
    "STRASSE",
    "ΟΔΥΣΣΕΥΣ",
    "Σίσυφος",
    "İstanbul ılık",
    "東京",
    "100 % \"off\" * 'now'",
    "a\\b_c",
    "\u{202E}txt\u{1B}[31m\n",
    "ﬁnance",
    "x",
    "A name that is so long that a line shows only its beginning and its end, and leaves out the middle",
];

/// What happens to a log.
#[derive(Clone, Debug)]
enum Step {
    /// A run renames a page, and logs some of it.
    Rename {
        page: u8,
        from: Index,
        to: Index,
        logged: u8,
    },
    /// Somebody decides in a run, perhaps an earlier one, or a difference is no longer found.
    About {
        run: Index,
        page: u8,
        ends: bool,
    },
    Said(Index),
    /// What is older than a step is cut off.
    Cut(Index),
    /// Another program has made the index.
    Remade,
    /// A bit of a filter is another one.
    Damaged(Index, Index),
    /// A filter is gone.
    Lost(Index),
    /// All of the index is gone, and made anew at some time.
    Dropped,
    Mended,
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    prop_oneof![
        6 => (0_u8..3, index(), index(), any::<u8>())
            .prop_map(|(page, from, to, logged)| Step::Rename { page, from, to, logged }),
        4 => (index(), 0_u8..3, any::<bool>()).prop_map(|(run, page, ends)| Step::About { run, page, ends }),
        2 => index().prop_map(Step::Said),
        1 => index().prop_map(Step::Cut),
        1 => Just(Step::Remade),
        1 => (index(), index()).prop_map(|(n, bit)| Step::Damaged(n, bit)),
        1 => index().prop_map(Step::Lost),
        1 => Just(Step::Dropped),
        1 => Just(Step::Mended),
    ]
}

fn run_of(step: usize) -> String {
    format!("r{step}")
}

/// Events of a step, as far as it is one that logs something.
fn events(step: &Step, number: usize) -> Vec<Event> {
    let name = |index: &Index| *index.get(&NAMES);
    let change = |page: u8| ChangeId::from_number(page.into());
    match step {
        Step::Rename { page, from, to, logged } => {
            let all = rename(&run_of(number), u32::from(*page), name(from), name(to));
            // An outcome is never without its intent.
            let is_logged = |at: usize| at == 4 || at == 5 || logged >> at & 1 == 1;
            (0..).zip(all).filter(|(at, _)| is_logged(*at)).map(|(_, event)| event).collect()
        }
        Step::About { run, page: number, ends } => {
            let (change, page) = (change(*number), page(u128::from(*number)));
            let resolution = Resolution { decision: Some(Decision::Skip), ..Resolution::default() };
            let what = if *ends {
                What::DifferenceEnded { change, page }
            } else {
                What::Decided { change, page, by: "ana".into(), verdict: resolution }
            };
            vec![event(&run_of(run.index(12)), what)]
        }
        Step::Said(text) => vec![event("said", What::SecretRefused { error: name(text).into() })],
        _ => Vec::new(),
    }
}

fn small(number: usize) -> i64 {
    i64::try_from(number).expect("small")
}

async fn take(store: &mut Store, step: &Step, number: usize) {
    let second = |step: usize| at(100 + small(step));
    let one = |store: &Store, index: &Index| {
        let sql = "SELECT first FROM words ORDER BY first LIMIT 1 OFFSET ?1";
        let count: i64 = store.connection().query_row("SELECT count(*) FROM words", [], |row| row.get(0)).ok()?;
        store
            .connection()
            .query_row(sql, [small(index.index(usize::try_from(count).ok()?.max(1)))], |row| row.get::<_, i64>(0))
            .ok()
    };
    match step {
        Step::Cut(before) => {
            let run = "cut".parse().expect("a run");
            store.cut_log(second(before.index(number + 1)), &run, second(number)).await.expect("cuts");
        }
        Step::Remade => drop(store.connection().execute("UPDATE words SET maker = 'another'", [])),
        Step::Damaged(index, bit) => {
            let sql = "UPDATE words SET filter = CAST(substr(filter, 1, ?2) || x'00' || substr(filter, ?2 + 2) AS BLOB) WHERE first = ?1";
            if let Some(first) = one(store, index) {
                store.connection().execute(sql, (first, small(bit.index(1983)))).expect("changes");
            }
        }
        Step::Lost(index) => {
            if let Some(first) = one(store, index) {
                store.connection().execute("DELETE FROM words WHERE first = ?1", [first]).expect("deletes");
            }
        }
        Step::Dropped => drop(store.connection().execute_batch("DROP TABLE words")),
        Step::Mended => drop(store.mend_words().await.expect("mends")),
        _ => {
            let events: Vec<Event> = events(step, number);
            let dated: Vec<Event> = events.into_iter().map(|event| Event { at: second(number), ..event }).collect();
            store.append_all(&dated).await.expect("appends");
        }
    }
}

/// The entries that contain a text in their line or in what is stored, with what they contain.
async fn found(store: &Store, selection: &Selection, toward: Toward, text: &str) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    let visit = async |entry: Entry| {
        let context = match entry.event() {
            Ok(event) => store.log_context(&event).await.expect("reads"),
            Err(_) => None,
        };
        let (_, line) = line_of(&entry.body, context.as_ref());
        if line.to_lowercase().contains(text) || entry.body.to_lowercase().contains(text) {
            found.push((entry.n, format!("{line}\n{}", entry.body)));
        }
        ControlFlow::Continue(())
    };
    store.visit_log(selection, toward, visit).await.expect("reads");
    found
}

/// Checks that a text is found where it is.
async fn check(store: &Store, text: &str) {
    let holding = Selection { holding: vec![text.to_owned()], ..Selection::default() };
    let toward = Toward::End(0);
    let all = found(store, &Selection::default(), toward, text).await;
    assert_eq!(found(store, &holding, toward, text).await, all, "{text:?}");
    let mut backwards = found(store, &holding, Toward::Beginning(u64::MAX), text).await;
    backwards.reverse();
    assert_eq!(backwards, all, "{text:?}, from the end");
    let of_kind = |selection: Selection| Selection { kinds: ["intent"].into(), ..selection };
    let intents = found(store, &of_kind(Selection::default()), toward, text).await;
    assert_eq!(found(store, &of_kind(holding), toward, text).await, intents, "{text:?} among intents");
}

/// The pages with a name, by looking through everything.
async fn named(store: &Store, name: &str) -> Vec<Entity> {
    let wanted = Raw::from(name).canonical().loose();
    let (mut exact, mut close) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for kind in ["intent", "difference"] {
        if kind == "difference" && !(exact.is_empty() && close.is_empty()) {
            break;
        }
        let visit = async |entry: Entry| {
            for (page, name) in context::names(&entry.event().expect("reads")) {
                let loose = name.canonical().loose();
                if loose == wanted {
                    exact.insert(page);
                } else if loose.contains(&wanted) {
                    close.insert(page);
                }
            }
            ControlFlow::Continue(())
        };
        let selection = Selection { kinds: [kind].into(), ..Selection::default() };
        store.visit_log(&selection, Toward::End(0), visit).await.expect("reads");
    }
    let mut entities = Vec::new();
    for page in if exact.is_empty() { close } else { exact } {
        entities.push(store.entity(Some(page), None).await.expect("reads"));
    }
    entities
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn words_are_found_as_by_looking_through_everything(
        steps in prop::collection::vec(step(), 1..14),
        sought in prop::collection::vec((any::<Index>(), any::<Index>(), 1_usize..24, any::<bool>()), 12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let world = world();
            let mut store = world.open().await;
            for (number, step) in steps.iter().enumerate() {
                take(&mut store, step, number).await;
            }
            let texts = found(&store, &Selection::default(), Toward::End(0), "").await;
            for (which, from, length, upper) in &sought {
                let Some((_, text)) = texts.get(which.index(texts.len().max(1))) else { continue };
                let letters: Vec<char> = text.chars().collect();
                let part: String = letters.iter().skip(from.index(letters.len())).take(*length).collect();
                check(&store, &if *upper { part.to_uppercase() } else { part }.to_lowercase()).await;
            }
            for name in NAMES {
                check(&store, &name.to_lowercase()).await;
                prop_assert_eq!(store.entities_named(name).await.expect("reads"), named(&store, name).await);
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn links_are_found_by_the_names_of_their_pages() {
    let world = world();
    let mut store = world.open().await;
    let named = |(number, name): (u32, &str)| {
        let mut base = Base::default();
        base.set(Field::Name, Agreed::Same(Value::Text(name.into())));
        Link { base, ..link(number) }
    };
    store.save_links(at(1), &(0..).zip(NAMES).map(named).collect::<Vec<_>>()).await.expect("saves");
    let pages = async |name: &str| -> Vec<PageId> {
        let found = store.entities_named(name).await.expect("reads");
        found.into_iter().flat_map(|entity| entity.pages).collect()
    };
    for (name, expected) in [
        ("acme", &[0][..]),
        ("ACME  corp", &[1]),
        ("me co", &[1]),
        ("strasse", &[5]),
        ("strasse4711", &[4]),
        ("\"OFF\"", &[10]),
        ("a\\B", &[11]),
        ("finance", &[13]),
        ("the middle", &[15]),
        ("nobody", &[]),
    ] {
        assert_eq!(pages(name).await, expected.iter().map(|number| page(*number)).collect::<Vec<_>>(), "{name}");
    }
}

/// How many entries are looked at for a text.
async fn looked_at(store: &Store, text: &str) -> usize {
    let mut seen = 0;
    let selection = Selection { holding: vec![text.to_owned()], ..Selection::default() };
    let visit = async |_: Entry| {
        seen += 1;
        ControlFlow::Continue(())
    };
    store.visit_log(&selection, Toward::End(0), visit).await.expect("reads");
    seen
}

/// A log of 70 entries, ten of which are about each name.
async fn log_of_seven(store: &mut Store) {
    for (number, name) in (1..).zip(["Acme", "Globex", "Hooli", "Initech", "Umbrella", "Wonka", "東京"]) {
        for run in 0..2 {
            let events = rename(&format!("r{number}{run}"), number, name, &format!("{name} Group"));
            store.append_all(&events[2..]).await.expect("appends");
        }
    }
}

#[tokio::test]
async fn only_what_may_hold_the_words_is_looked_at() {
    let world = world();
    let mut store = world.open().await;
    log_of_seven(&mut store).await;
    // A difference, an approval, an intent, an outcome, and that it was applied, of each run.
    for word in ["umbrella", "hoo", "東京", "tech group"] {
        let looked_at = looked_at(&store, word).await;
        assert!((8..=12).contains(&looked_at), "{word}: {looked_at}");
    }
    assert_eq!(looked_at(&store, "no such thing").await, 0);
    assert_eq!(looked_at(&store, "of").await, 70, "too short to be found otherwise");
}

#[tokio::test]
async fn an_index_that_cannot_be_used_stops_nothing_and_is_made_anew() {
    let world = world();
    let mut store = world.open().await;
    log_of_seven(&mut store).await;
    assert!(!store.mend_words().await.expect("looks"), "there is nothing to mend");
    for harm in [
        "DROP TABLE IF EXISTS words",
        "DROP TABLE IF EXISTS words; CREATE TABLE words (first)",
        "DELETE FROM words",
        "UPDATE words SET filter = x'00'",
        "UPDATE words SET filter = zeroblob(1984)",
        "DELETE FROM words WHERE first = 9",
        "UPDATE words SET maker = 'another'",
    ] {
        store.connection().execute_batch(harm).expect("harms");
        check(&store, "umbrella").await;
        let (head, _) = store.log_head().await.expect("reads");
        store.append(&event("later", What::SecretRefused { error: "no".into() })).await.expect("appends");
        assert_eq!(store.log_head().await.expect("reads").0, head + 1, "{harm}");
        store.connection().execute_batch(harm).expect("harms");

        assert!(store.mend_words().await.expect("mends"), "{harm}");

        assert!(looked_at(&store, "umbrella").await <= 12, "{harm}");
        let checkpoint = checkpoint(&store).await;
        assert_eq!(store.verify(&[checkpoint]).await.expect("reads").findings, [], "{harm}");
    }
}

#[tokio::test]
async fn what_an_entry_is_about_once_the_log_is_cut_finds_it_too() {
    let world = world();
    let mut store = world.open().await;
    let difference = |run: &str, name: &str| rename(run, 1, name, name).remove(2);
    let (page, change) = (page(1), ChangeId::from_number(1));
    let ended = event("a", What::DifferenceEnded { change, page });
    for (second, event) in [(100, difference("a", "Acme")), (200, difference("b", "Globex")), (300, ended)] {
        store.append(&Event { at: at(second), ..event }).await.expect("appends");
    }
    let run = "c".parse().expect("a run");
    assert_eq!(store.cut_log(at(150), &run, at(400)).await.expect("cuts"), Some(1));

    let all = found(&store, &Selection::default(), Toward::End(0), "globex").await;
    assert_eq!(all.len(), 2, "the other difference stands in for its own");
    check(&store, "globex").await;
}

#[tokio::test]
async fn a_copy_is_without_the_index_and_finds_all_the_same() {
    let world = world();
    let mut store = world.open().await;
    log_of_seven(&mut store).await;
    let copy = store.back_up(&"r".parse().expect("a run"), at(9)).await.expect("copies").expect("of a file");
    drop(store);
    for suffix in ["-wal", "-shm"] {
        drop(fs::remove_file(open::with_suffix(&world.file(), suffix)));
    }
    fs::copy(&copy, world.file()).expect("puts it back");

    let mut store = world.open().await;

    let filters: i64 = store.connection().query_row("SELECT count(*) FROM words", [], |row| row.get(0)).expect("reads");
    assert_eq!(filters, 0);
    check(&store, "umbrella").await;
    store.append(&event("later", What::SecretRefused { error: "no".into() })).await.expect("appends");
    assert!(looked_at(&store, "umbrella").await <= 12, "the next transaction takes it up");
}
