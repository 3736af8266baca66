use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::{
    journal::{Was, Write, WriteId},
    model::{Field, Kind, PageId, Service, Value},
    plan::ChangeId,
};

/// An entry as it lies on a disk.
#[derive(Clone, Debug, PartialEq)]
struct Lying {
    n: u64,
    body: String,
    hash: Hash,
}

fn event(number: u64) -> Event {
    let what = match number % 4 {
        0 => What::Applied { change: ChangeId::from_number(number) },
        1 => {
            let rows = usize::try_from(number).expect("small");
            What::Fetched {
                service: Service::Notion,
                kind: Kind::Client,
                rows,
                incomplete: None,
                edited: None,
                full_because: None,
            }
        }
        2 => What::Intent {
            write: WriteId(3),
            changes: vec![],
            request: Write::WriteBack {
                page: PageId::from_number(u128::from(number)),
                kind: Kind::Client,
                claim: Some(None),
                fields: BTreeMap::new(),
            },
            was: Box::new(Was {
                before: BTreeMap::from([(Field::Name, Value::Empty)]),
                name: "a\u{202E}b\n\u{1B}[31m".into(),
            }),
            trace: Box::default(),
        },
        _ => What::RunEnded { outcome: number.to_string().as_str().into(), totals: None },
    };
    Event { run: "r".parse().expect("a run"), at: Timestamp::UNIX_EPOCH, what }
}

/// A log of so many entries, and a checkpoint after each five and at its end.
fn log(entries: u64) -> (Vec<Lying>, Vec<Checkpoint>) {
    let (mut log, mut checkpoints, mut head) = (Vec::new(), Vec::new(), Hash::START);
    for n in 1..=entries {
        let body = body(&event(n)).expect("JSON");
        head = head.then(&body);
        log.push(Lying { n, body, hash: head });
        if n % 5 == 0 || n == entries {
            let (key, signature) = (String::new(), String::new());
            checkpoints.push(Checkpoint { n, head, at: Timestamp::UNIX_EPOCH, key, signature });
        }
    }
    (log, checkpoints)
}

fn verified(log: &[Lying], checkpoints: &[Checkpoint]) -> Findings {
    let mut verifier = Verifier::new((0, Hash::START), checkpoints.to_vec());
    for Lying { n, body, hash } in log {
        verifier.follow(&StoredEntry { n: *n, body, hash: *hash, previous: None, labels: None });
    }
    verifier.finish()
}

/// Makes the chain anew from an entry on, as somebody would who can write the file.
fn restamp(log: &mut [Lying], from: usize) {
    let mut head = from.checked_sub(1).map_or(Hash::START, |before| log[before].hash);
    for (n, entry) in (1..).zip(log.iter_mut()).skip(from) {
        head = head.then(&entry.body);
        (entry.n, entry.hash) = (n, head);
    }
}

/// What somebody does to a log.
#[derive(Clone, Debug)]
enum Mischief {
    Edit { restamps: bool },
    EditHash,
    Delete { renumbers: bool, restamps: bool },
    Insert { restamps: bool },
    Swap { renumbers: bool, restamps: bool },
    CutShort,
    RestampAll,
}

fn mischief() -> impl Strategy<Value = Mischief> {
    let flag = any::<bool>();
    prop_oneof![
        flag.prop_map(|restamps| Mischief::Edit { restamps }),
        Just(Mischief::EditHash),
        (flag, flag).prop_map(|(renumbers, restamps)| Mischief::Delete { renumbers, restamps }),
        flag.prop_map(|restamps| Mischief::Insert { restamps }),
        (flag, flag).prop_map(|(renumbers, restamps)| Mischief::Swap { renumbers, restamps }),
        Just(Mischief::CutShort),
        Just(Mischief::RestampAll),
    ]
}

fn renumber(log: &mut [Lying]) {
    for (n, entry) in (1..).zip(log) {
        entry.n = n;
    }
}

proptest! {
    #[test]
    fn whatever_is_done_to_a_log_is_seen(entries in 2_u64..40, place in any::<prop::sample::Index>(), mischief in mischief()) {
        let (mut log, checkpoints) = log(entries);
        prop_assert!(verified(&log, &checkpoints).is_sound());
        let at = place.index(log.len());
        let foreign = body(&event(1_000_000)).expect("JSON");
        match mischief {
            Mischief::Edit { restamps } => {
                log[at].body = foreign;
                if restamps {
                    restamp(&mut log, at);
                }
            }
            Mischief::EditHash => log[at].hash.0[7] ^= 1,
            Mischief::Delete { renumbers, restamps } => {
                log.remove(at);
                if renumbers {
                    renumber(&mut log);
                }
                if restamps {
                    restamp(&mut log, at);
                }
            }
            Mischief::Insert { restamps } => {
                let hash = at.checked_sub(1).map_or(Hash::START, |before| log[before].hash).then(&foreign);
                log.insert(at, Lying { n: 0, body: foreign, hash });
                renumber(&mut log);
                if restamps {
                    restamp(&mut log, at);
                }
            }
            Mischief::Swap { renumbers, restamps } => {
                let other = (at + 1) % log.len();
                log.swap(at, other);
                if renumbers {
                    renumber(&mut log);
                }
                if restamps {
                    restamp(&mut log, at.min(other));
                }
            }
            Mischief::CutShort => log.truncate(at),
            Mischief::RestampAll => {
                log[0].body = foreign;
                restamp(&mut log, 0);
            }
        }
        let verdict = verified(&log, &checkpoints);
        prop_assert!(!verdict.is_sound(), "{mischief:?} at {at}: {log:?}");
    }

    #[test]
    fn what_was_done_is_found_where_it_was_done(entries in 6_u64..40, place in any::<prop::sample::Index>()) {
        let (log, checkpoints) = log(entries);
        let at = place.index(log.len() - 1);
        let n = log[at].n;

        let mut edited = log.clone();
        edited[at].body = body(&event(1_000_000)).expect("JSON");
        prop_assert_eq!(verified(&edited, &checkpoints).findings, [Finding::Altered { n }]);

        let mut deleted = log.clone();
        deleted.remove(at);
        prop_assert_eq!(&verified(&deleted, &checkpoints).findings[0], &Finding::Missing { from: n, to: n });

        let short = &log[..at];
        let (last, seen) = (n - 1, entries);
        prop_assert_eq!(verified(short, &checkpoints).findings, [Finding::CutShort { last, seen }]);

        let mut anew = edited;
        restamp(&mut anew, at);
        let first = n.div_ceil(5) * 5;
        let finding = Finding::Restamped { after: (n - 1) / 5 * 5, at: first.min(entries) };
        prop_assert_eq!(&verified(&anew, &checkpoints).findings[0], &finding);
    }
}

#[test]
fn without_a_checkpoint_nobody_vouches_for_a_log() {
    let (log, _) = log(3);
    assert_eq!(verified(&log, &[]).findings, [Finding::NoCheckpoint]);
    assert!(verified(&[], &[]).is_sound());
}

#[test]
fn a_log_that_was_cut_off_begins_where_an_entry_says() {
    let (mut log, checkpoints) = log(12);
    let start = (5, log[4].hash);
    let mut follow = |announced: bool| {
        if announced {
            let what = What::Cut { through: 5, hash: start.1.to_string(), entries: 5 };
            let body =
                body(&Event { run: "r".parse().expect("a run"), at: Timestamp::UNIX_EPOCH, what }).expect("JSON");
            let hash = log[11].hash.then(&body);
            log.push(Lying { n: 13, body, hash });
        }
        let mut verifier = Verifier::new(start, checkpoints.clone());
        for Lying { n, body, hash } in &log[5..] {
            verifier.follow(&StoredEntry { n: *n, body, hash: *hash, previous: None, labels: None });
        }
        verifier.finish().findings
    };
    assert_eq!(follow(false), [Finding::Unannounced { through: 5 }]);
    assert_eq!(follow(true), []);
}

#[test]
fn a_label_that_was_changed_is_noticed() {
    let event = event(2);
    let body = body(&event).expect("JSON");
    let about = About { page: Some(PageId::from_number(2)), object: None };
    let right = Labels::of(&event, about);
    let wrong = [
        Labels { kind: "applied", ..right.clone() },
        Labels { level: Level::Debug, ..right.clone() },
        Labels { page: None, ..right.clone() },
        Labels { run: "s".parse().expect("a run"), ..right.clone() },
        Labels { at_ms: 1, ..right.clone() },
    ];
    let findings = |labels: Labels| {
        let mut verifier = Verifier::new((0, Hash::START), Vec::new());
        let hash = Hash::START.then(&body);
        verifier.follow(&StoredEntry { n: 1, body: &body, hash, previous: None, labels: Some(labels) });
        verifier.finish().findings
    };
    assert_eq!(findings(right), [Finding::NoCheckpoint]);
    for labels in wrong {
        assert_eq!(findings(labels)[0], Finding::Mislabelled { n: 1 });
    }
}

#[test]
fn a_body_is_exact_and_harmless() {
    let event = event(2);
    let body = body(&event).expect("JSON");
    assert!(body.starts_with(r#"{"v":1,"run":"r","#) && body.is_ascii(), "{body}");
    assert_eq!(read(&body).expect("reads"), event);
    let later = body.replacen("\"v\":1", "\"v\":2", 1);
    assert!(matches!(read(&later), Err(Unread::Later(2))));
}

/// Each version of the format that was ever written, an event of every kind on each line. Lines are only ever added.
#[test]
fn every_version_of_the_format_can_be_read() {
    let versions: [(u32, &str); 1] = [(1, include_str!("v1.jsonl"))];
    for (version, text) in versions {
        let mut kinds: Vec<&str> = Vec::new();
        for line in text.lines() {
            assert!(line.starts_with(&format!("{{\"v\":{version},")), "{line}");
            let event = read(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            kinds.push(event.what.word());
            let word: Envelope = serde_json::from_str(line).expect("an envelope");
            assert_eq!(word.event, event.what.word());
            if version == VERSION {
                assert_eq!(body(&event).expect("JSON"), line, "it is written as it was");
            }
        }
        kinds.sort_unstable();
        kinds.dedup();
        let mut all = What::WORDS.to_vec();
        all.sort_unstable();
        assert_eq!(kinds, all, "version {version} has an example of every kind");
    }
}
