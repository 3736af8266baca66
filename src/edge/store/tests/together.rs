//! Two people decide at once about the same changes of one state.

use super::*;
use crate::domain::{plan::ChangeId, review::Overtaken};

fn said(change: u64, decision: Option<Decision>, seen: Option<Decision>) -> SaidUpon {
    let resolution = |decision| Resolution { decision, ..Resolution::default() };
    let (change, page) = (ChangeId::from_number(change), PageId::from_number(7));
    let said = Said { change, page, what: "close".into(), verdict: resolution(decision) };
    SaidUpon { said, seen: resolution(seen) }
}

/// Ana and Ben have the state open, and have seen nothing of each other.
async fn overtakes(ana: &mut Store, ben: &mut Store) {
    let (approve, skip) = (|| Some(Decision::Approve), || Some(Decision::Skip));
    let first = said(0xa, approve(), None);
    assert_eq!(ana.save_verdicts("ana", at(1), None, &[first.clone()]).await.expect("saves"), []);

    let (otherwise, beside) = (said(0xa, skip(), None), said(0xb, skip(), None));
    let overtaken = ben.save_verdicts("ben", at(2), None, &[otherwise.clone(), beside]).await.expect("saves");

    let stands = Remembered { said: first.said.clone(), by: "ana".into(), at: at(1) };
    assert_eq!(overtaken, [Overtaken { said: otherwise.said, stands: Some(stands.clone()) }], "who, what and when");
    let kept = |known: &[Remembered]| -> Vec<(String, Option<Decision>)> {
        known.iter().map(|known| (known.by.clone(), known.said.verdict.decision.clone())).collect()
    };
    let known = ana.verdicts().await.expect("reads");
    assert_eq!(kept(&known), [("ben".into(), skip()), ("ana".into(), approve())], "what was beside it is kept");

    assert_eq!(ben.save_verdicts("ben", at(3), None, &[said(0xa, approve(), None)]).await.expect("saves"), []);
    assert!(ana.verdicts().await.expect("reads").contains(&stands), "the same is ana's still");

    assert_eq!(ben.save_verdicts("ben", at(4), None, &[said(0xa, skip(), approve())]).await.expect("saves"), []);
    let overtaken = ana.save_verdicts("ana", at(5), None, &[said(0xa, None, approve())]).await.expect("saves");
    assert_eq!(overtaken.len(), 1, "what ben decided upon ana's is not taken back unseen");
    assert_eq!(kept(&ana.verdicts().await.expect("reads")), [("ben".into(), skip()), ("ben".into(), skip())]);
    assert_eq!(ana.save_verdicts("ana", at(6), None, &[said(0xa, None, skip())]).await.expect("saves"), []);
    let overtaken = ben.save_verdicts("ben", at(7), None, &[said(0xa, approve(), skip())]).await.expect("saves");
    assert!(matches!(overtaken.as_slice(), [Overtaken { stands: None, .. }]), "what was taken back: {overtaken:?}");
}

#[tokio::test]
async fn who_decides_otherwise_at_once_is_told_and_nothing_is_overwritten_unseen() {
    let world = world();
    let mut ana = world.open().await;
    ana.release().await.expect("releases");
    let mut ben = Store::open(&world.place(), at(1)).await.expect("opens");
    overtakes(&mut ana, &mut ben).await;
}
