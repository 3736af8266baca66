//! Two people decide at once about the same changes of one state.

use super::*;
use crate::domain::{four_eyes::Approval, reservation::Reservation, review::Overtaken};

fn said(change: u64, decision: Option<Decision>, seen: Option<Decision>) -> SaidUpon {
    let resolution = |decision| Resolution { decision, ..Resolution::default() };
    let (change, page) = (ChangeId::from_number(change), PageId::from_number(7));
    let said = Said { change, page, what: "close".into(), verdict: resolution(decision) };
    SaidUpon { said, seen: resolution(seen) }
}

wherever! {
    who_decides_otherwise_at_once_is_told_and_nothing_is_overwritten_unseen,
    two_who_approve_at_once_both_stand,
    who_is_on_a_client_is_told_until_it_ends,
}

/// Ana and Ben have the state open, and have seen nothing of each other.
async fn both(world: &World) -> [Store; 2] {
    let open = async || Store::open(&world.place(), at(0)).await.expect("opens");
    [open().await, open().await]
}

async fn who_decides_otherwise_at_once_is_told_and_nothing_is_overwritten_unseen(world: World) {
    let [mut ana, mut ben] = both(&world).await;
    let (approve, skip) = (|| Some(Decision::Approve), || Some(Decision::Skip));
    let first = said(0xa, approve(), None);
    assert_eq!(ana.save_verdicts("ana", at(1), None, std::slice::from_ref(&first)).await.expect("saves"), []);

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

async fn two_who_approve_at_once_both_stand(world: World) {
    let [mut ana, mut ben] = both(&world).await;
    for (store, by) in [(&mut ana, "ana"), (&mut ben, "ben")] {
        let mut approved = said(0xa, Some(Decision::Approve), None);
        approved.said.verdict.approvals = vec![Approval { by: by.to_owned(), at: None }];
        assert_eq!(store.save_verdicts(by, at(1), None, &[approved]).await.expect("saves"), []);
    }
    let known = ana.verdicts().await.expect("reads");
    let names: Vec<&str> = known[0].said.verdict.approvals.iter().map(|approval| approval.by.as_str()).collect();
    assert_eq!(names, ["ana", "ben"]);
}

async fn who_is_on_a_client_is_told_until_it_ends(world: World) {
    let [mut ana, mut ben] = both(&world).await;
    let on = |by: &str, process, client, until| {
        let (name, by, host) = (Raw::from("Acme"), by.to_owned(), "kite".to_owned());
        Reservation { client: page(client), name, by, host, process, until: at(until) }
    };
    let (of_ana, of_ben) = (on("ana", 1, 7, 600), on("ben", 2, 7, 700));
    ana.reserve(&of_ana, at(0)).await.expect("keeps");
    ben.reserve(&of_ben, at(100)).await.expect("keeps");
    let other = on("ben", 2, 8, 700);
    ben.reserve(&other, at(100)).await.expect("keeps");
    let found = async |store: &Store, now| store.reservations(at(now)).await.expect("reads");
    assert_eq!(found(&ana, 599).await, [of_ana.clone(), of_ben.clone(), other.clone()], "nobody takes another's place");
    assert_eq!(found(&ben, 600).await, [of_ben, other.clone()], "it ends by itself");

    let again = on("ana", 1, 7, 1200);
    ana.reserve(&again, at(600)).await.expect("keeps");
    ben.give_up(Some(page(7)), "kite", 2).await.expect("forgets");
    assert_eq!(found(&ana, 600).await, [again.clone(), other]);
    ben.give_up(None, "kite", 2).await.expect("forgets");
    assert_eq!(found(&ana, 600).await, [again]);
}
