//! DECIDES: pure functions of values. Nothing here does I/O, reads a clock, draws a random number or awaits.
//!
//! ```text
//! Snapshots ─ pair ─ Pairs ─ diff ─ Plan ─ review ─ Approved ─ (engine applies) ─ events ─ report
//! ```
//!
//! The words, which are the same on screen, in the README and in the configuration:
//!
//! | word | meaning |
//! |---|---|
//! | page | a row in Notion: a client, project or task that somebody wants in Clockify |
//! | object | a client, project or task in Clockify |
//! | kind | which of the three: clients have projects, projects have tasks |
//! | link | a page and its object belong together; kept here, and as the Clockify ID in the page |
//! | claim | the Clockify ID that a page holds; copied along when a page is duplicated, so it has to be checked |
//! | marker | the last line of an object's note that leads back to its page; in what punchlist created |
//! | pair | a page with the object that is, or could be, its own, and the evidence for it |
//! | base | what each side held when both were last seen to agree; who has changed since is told by it |
//! | sight | whether a linked page is where it is looked for |
//! | standing | whether a page is open, closed, in the trash, or nobody knows |
//! | unknown | a value that a service does not say; never taken for an empty one |
//! | change | one difference, and what is proposed about it |
//! | action | what a change does: create, link, update, close, reopen, move, write-back, refile, clear-claim |
//! | write-back | the object's ID, or a value, goes into the page |
//! | refile | time entries go to the object that they belong to |
//! | clear-claim | an ID that belongs to another page is taken out of a copy |
//! | way | another thing that could be done about the same difference |
//! | confidence | how sure a proposal is, in percent, by its evidence |
//! | hold | why nobody can approve a change now |
//! | brake | how many changes of a class a run may make; beyond it the class is held |
//! | notice | something to know about that no change mends |
//! | decision | what somebody said of a change: approve, skip, flag, or ignore for good |
//! | second person | who must approve, besides the first, what one person alone does not decide |
//! | pending | what waits for a person after a run |
//! | reservation | that somebody is on a client, for others to take another one; advice, and no lock |
//! | sync status | what pages tell their readers of what waits |
//! | plan | all changes and notices, under a hash |
//! | finding | something that hours and plan say about each other that would make an invoice wrong |
//! | sealed month | its figures and what was accepted of its findings, under a hash; a change of them is noticed |
//! | run | one time that both sides were read, and what was written then; it has an ID and a log |
//! | watermark | until when, by Notion, the edits of a data source have been seen; what is edited later is asked for |
//! | full pass | all pages are read, and not only those that were edited since the watermark |
//! | lane | the pages of a large data source that were created in one stretch of time, read beside the others |
//! | caller | who may ask the daemon for a run, under a name and with a secret |

pub mod action;
pub mod audit;
pub mod checkup;
pub mod code;
mod dated;
pub mod diff;
pub mod discovery;
pub mod ending;
pub mod entry;
pub mod explain;
pub mod four_eyes;
pub mod hours;
pub mod implied;
pub mod journal;
pub mod lanes;
pub mod model;
pub mod notify;
pub mod pair;
pub mod pending;
pub mod plan;
pub mod possible;
pub mod reach;
pub mod reference;
pub mod refile;
pub mod report;
pub mod reservation;
pub mod review;
pub mod rules;
pub mod schedule;
pub mod steps;
pub mod sync_status;
pub mod text;
pub mod trigger;
pub mod undo;
pub mod watermark;
