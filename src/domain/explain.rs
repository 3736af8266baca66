//! Why the plan says what it says about one page or object: what both sides hold, what they last agreed on, on what
//! evidence they belong together, and which rules of the configuration have decided.

use serde::Serialize;

use super::{
    diff::{self, Comparison},
    model::{Agreed, Field, Kind, Object, ObjectId, Page, PageId, Registry, Relation, Snapshots, Standing, Value},
    pair::{Match, pair},
    plan::{Action, Cause, Change, HoldCode, Plan, State, document::ChangeDocument, field_word},
    reference::{self, Nameable, NotFound},
    rules::{Direction, Rules, Threshold, Unmanaged},
    steps,
    text::Shown,
};

/// Columns of a name in a sentence.
const NAME_COLUMNS: usize = 60;

/// What is known about a page, its object and their differences.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What it is about.
    pub kind: Option<Kind>,
    /// The page's title, or the object's name.
    pub name: Shown,
    /// The page, if there is one.
    pub page_id: Option<PageId>,
    /// What the page says of itself.
    pub page: Shown,
    /// The object, if there is one.
    pub clockify_id: Option<ObjectId>,
    pub object: Shown,
    /// Why they belong together, or do not.
    pub evidence: Shown,
    pub fields: Vec<Compared>,
    /// What is proposed.
    pub changes: Vec<Explained>,
    /// What there is to say besides.
    pub notices: Vec<Shown>,
}

/// What both sides hold of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// The field; a parent is called by what it is.
    pub field: &'static str,
    /// What the page says.
    pub notion: Shown,
    /// What the object holds.
    pub clockify: Shown,
    /// What both last agreed on; nothing where they never did.
    pub base: Option<Shown>,
    /// Which way its value goes.
    pub direction: Direction,
    /// What that comes to.
    pub verdict: &'static str,
}

/// A change with the rules that decided about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    pub change: ChangeDocument,
    pub rules: Vec<Ruling>,
}

/// One rule that had a say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ruling {
    /// The keys that can set it, the most specific first.
    pub keys: Vec<String>,
    /// What it is set to.
    pub value: Shown,
    /// What that means here, and what another value would.
    pub says: Shown,
}

/// What somebody asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Page(PageId),
    /// An object, perhaps without a page.
    Object(ObjectId),
}

impl Subject {
    /// What is meant by the ID or address of a page or an object, a name, or the ID of a change or its beginning.
    ///
    /// # Errors
    /// [`NotFound`]
    pub fn find(text: &str, plan: &Plan, registry: &Registry, snapshots: &Snapshots) -> Result<Self, NotFound> {
        let text = text.trim();
        let mut changes = plan.changes.iter().filter(|change| text.len() >= 4 && change.id.begins_with(text));
        if let Some(change) = changes.next().filter(|_| changes.next().is_none()) {
            let subject = change.page.in_notion().map(Self::Page).or(change.proposal.object.map(Self::Object));
            return subject.ok_or(NotFound::Unknown);
        }
        // What no listing shows any more can be linked still.
        let linked = reference::page(text).filter(|page| registry.of_page(*page).is_some()).map(Self::Page);
        let linked = linked.or_else(|| {
            reference::object(text).filter(|object| registry.of_object(*object).is_some()).map(Self::Object)
        });
        if let Some(subject) = linked {
            return Ok(subject);
        }
        let pages = Kind::ALL.into_iter().flat_map(|kind| {
            snapshots.pages[kind].rows().iter().map(move |page| {
                let above = page.parent.one().and_then(|parent| snapshots.pages[kind.parent()?].get(parent));
                let above = above.map(|parent| format!("{} › ", parent.title.shown().clipped(NAME_COLUMNS)));
                let name = page.title.shown().clipped(NAME_COLUMNS);
                let told = format!("{kind} “{}{name}” {}", above.unwrap_or_default(), page.id);
                let (name, told) = (page.title.clone(), told.into());
                Nameable { what: Self::Page(page.id), page: Some(page.id), object: None, name, told }
            })
        });
        let objects = Kind::ALL.into_iter().flat_map(|kind| {
            snapshots.objects[kind].rows().iter().map(move |object| {
                let told = format!("{kind} “{}” {}", object.name.shown().clipped(NAME_COLUMNS), object.id);
                let (what, name) = (Self::Object(object.id), object.name.clone());
                Nameable { what, page: None, object: Some(object.id), name, told: told.into() }
            })
        });
        // An object of the same name is mostly the page's own, and stands in its explanation.
        let found = match reference::find(text, pages) {
            Err(NotFound::Unknown) => reference::find(text, objects)?,
            found => found?,
        };
        found.into_iter().next().ok_or(NotFound::Unknown)
    }
}

/// Explains what the plan says about a page or an object.
pub fn explain(
    subject: Subject,
    plan: &Plan,
    snapshots: &Snapshots,
    registry: &Registry,
    rules: &Rules,
) -> Explanation {
    let pairs = pair(snapshots, registry);
    let page_id = match subject {
        Subject::Page(page) => Some(page),
        Subject::Object(object) => pairs.owner(object),
    };
    let found = page_id.and_then(|page| pairs.of(page));
    let linked = page_id.and_then(|page| registry.of_page(page));
    let object_id = match (subject, found, linked) {
        (Subject::Object(object), ..) => Some(object),
        (_, Some((_, found)), link) => found.proposed().map(|object| object.id).or(link.map(|link| link.object)),
        (_, None, link) => link.map(|link| link.object),
    };
    let object = object_id.and_then(|id| Kind::ALL.into_iter().find_map(|kind| snapshots.objects[kind].get(id)));
    let page = found.map(|(page, _)| *page);
    let mut explanation = Explanation {
        kind: page.map(|page| page.kind).or(object.map(|object| object.kind)).or(linked.map(|link| link.kind)),
        name: page
            .map(|page| &page.title)
            .or(object.map(|object| &object.name))
            .map_or_else(String::new, |name| name.exact().to_owned())
            .into(),
        page_id,
        page: page.map_or_else(|| unseen(page_id, snapshots), said_by_page).into(),
        clockify_id: object_id,
        object: object.map_or_else(|| "none".to_owned(), |object| said_of_object(object, snapshots)).into(),
        evidence: evidence(found.map(|(_, found)| found), object.is_some()).into(),
        ..Explanation::default()
    };
    if let Some((page, object)) = page.zip(object) {
        let base = |field| linked.and_then(|link| link.base.get(field)).cloned();
        explanation.fields = fields(page, object, &base, snapshots, registry, rules);
    }
    let is_about = |page: PageId, object: Option<ObjectId>| {
        page_id.is_some_and(|wanted| wanted == page)
            || object_id.is_some() && object == object_id && page.in_notion().is_none()
    };
    let changes = plan.changes.iter().filter(|change| is_about(change.page, change.proposal.object));
    explanation.changes = changes
        .map(|change| Explained {
            change: ChangeDocument::one(plan, change),
            rules: rulings(change, rules, plan.four_eyes_on(change, rules)),
        })
        .collect();
    let notices = plan.notices.iter().filter(|notice| {
        notice.page.is_some() && notice.page == page_id || notice.object.is_some() && notice.object == object_id
    });
    explanation.notices = notices.map(|notice| notice.text.clone()).collect();
    explanation
}

fn unseen(page: Option<PageId>, snapshots: &Snapshots) -> String {
    use super::model::Away;
    match page.map(|page| snapshots.away.get(&page)) {
        None => "none".to_owned(),
        Some(Some(Away::Lost)) => "Notion does not show it any more".to_owned(),
        Some(Some(Away::MovedOut)) => "it was moved out of its data source".to_owned(),
        Some(Some(Away::NotMeant)) => "it no longer is one of those that are mirrored".to_owned(),
        Some(None) => "it is in the trash and its object is closed, or it was not listed this time".to_owned(),
    }
}

fn said_by_page(page: &Page) -> String {
    let standing = match &page.standing {
        Standing::Open => "open".to_owned(),
        Standing::Closed { because } => format!("closed: {}", because.shown()),
        Standing::Trashed => "in the trash".to_owned(),
        Standing::Unknown { because } => format!("open or not, which cannot be told: {because}"),
    };
    let claim = match &page.claim {
        super::model::Claim::None => "names no Clockify ID".to_owned(),
        super::model::Claim::Id(id) => format!("names {id}"),
        super::model::Claim::Garbled(text) => {
            format!("names “{}”, which is no Clockify ID", text.shown().clipped(NAME_COLUMNS))
        }
        super::model::Claim::Unknown(because) => format!("its Clockify ID cannot be told: {because}"),
    };
    format!("{standing}, {claim}, edited {}", page.edited.strftime("%Y-%m-%d %H:%M UTC"))
}

fn said_of_object(object: &Object, snapshots: &Snapshots) -> String {
    let state = match object.state() {
        Some(true) => "closed",
        Some(false) => "active",
        None => "closed or not, which Clockify does not say",
    };
    let parent = object.kind.parent().zip(object.parent).map(|(kind, parent)| {
        let name =
            snapshots.objects[kind].get(parent).map(|object| object.name.shown().clipped(NAME_COLUMNS).to_string());
        format!(", under the {kind} {}", name.map_or_else(|| parent.to_string(), |name| format!("“{name}”")))
    });
    let marker = object.marker.map(|page| format!(", its note names the page {page}")).unwrap_or_default();
    format!("{state}{}{marker}", parent.unwrap_or_default())
}

fn evidence(found: Option<&Match<'_>>, has_object: bool) -> String {
    match found {
        None if has_object => "no page that is shown belongs to it".to_owned(),
        None => "nothing belongs together here".to_owned(),
        Some(Match::Linked { best, .. }) => format!("{} ({} %)", best.evidence.words(), best.evidence.confidence()),
        Some(Match::Free { similar }) if similar.is_empty() => {
            "the page has no object, and none looks like it".to_owned()
        }
        Some(Match::Free { similar }) => format!("the page has no object; {} look similar", similar.len()),
        Some(Match::Vanished(vanished)) => vanished.because.to_string(),
        Some(Match::Copied { owner, object }) => {
            format!("the page has the ID of another: {object} belongs to the page {owner}")
        }
        Some(Match::Unseen { because }) => format!("nothing can be said: {because}"),
        Some(Match::Idle) => "the page is closed and has no object: there is nothing to do".to_owned(),
    }
}

fn fields(
    page: &Page,
    object: &Object,
    base: &dyn Fn(Field) -> Option<Agreed>,
    snapshots: &Snapshots,
    registry: &Registry,
    rules: &Rules,
) -> Vec<Compared> {
    let parent = page.kind.parent();
    let of_parent = match &page.parent {
        Relation::One(parent) => registry.of_page(*parent).map(|link| Value::Object(link.object)),
        Relation::None | Relation::Several(_) => Some(Value::Empty),
        Relation::Unknown(_) => None,
    };
    let shown = |value: &Value| match (value, parent) {
        (Value::Object(id), Some(kind)) => {
            snapshots.objects[kind].get(*id).map_or_else(|| id.to_string(), |object| object.name.exact().to_owned())
        }
        (value, _) => value.to_raw().exact().to_owned(),
    };
    let always = [Field::Name, Field::State].into_iter().chain(parent.map(|_| Field::Parent));
    let all = always.chain(page.values.iter().map(|(field, _)| field));
    let compared = all.filter_map(|field| {
        let notion = if field == Field::Parent { of_parent.clone()? } else { steps::wanted(page, field)? };
        let clockify = steps::current(object, field)?;
        let base = base(field);
        let verdict = match diff::comparison(&notion, &clockify, base.as_ref()) {
            None if notion == clockify => "agree",
            None if matches!(base, Some(Agreed::Seen(_))) => "nothing is asked for",
            None => "differ on purpose",
            Some(Comparison::ClockifyChanged) if field.is_tracked() => "tracked since",
            Some(Comparison::Agreed) => "agree now",
            Some(Comparison::NotionChanged) => "changed in Notion",
            Some(Comparison::ClockifyChanged) => "edited in Clockify",
            Some(Comparison::Conflict) => "edited on both sides",
            Some(Comparison::NotKept) => "sent, and not kept",
            Some(Comparison::FirstSight) => "never seen to agree",
        };
        let base = base.map(|base| match base {
            Agreed::Same(value) => shown(&value),
            Agreed::Apart(halves) | Agreed::Seen(halves) => {
                format!("{} | {}", shown(&halves.notion), shown(&halves.clockify))
            }
        });
        Some(Compared {
            field: field_word(page.kind, field),
            notion: shown(&notion).into(),
            clockify: shown(&clockify).into(),
            base: base.map(Into::into),
            direction: rules.precedence[page.kind].of(field).direction,
            verdict,
        })
    });
    compared.collect()
}

/// The rules that had a say in a change, in the order in which they are asked.
fn rulings(change: &Change, rules: &Rules, second: Option<(&str, String)>) -> Vec<Ruling> {
    let mut rulings = Vec::new();
    let kind = change.kind;
    let field = change.proposal.fields.first().map(|field| field.field);
    let rule = field.map(|field| rules.precedence[kind].of(field));
    let of_field = |name: &str| {
        let section = format!("rules.{}", kind.plural());
        let field = field.map(|field| format!("{section}.fields.{field}.{name}"));
        field.into_iter().chain([format!("{section}.{name}"), format!("rules.{name}")]).collect::<Vec<_>>()
    };
    let mut add = |keys: Vec<String>, value: String, says: &str| {
        rulings.push(Ruling { keys, value: value.into(), says: says.to_owned().into() });
    };
    let shown = field.filter(|field| field.is_tracked());
    if let Some((field, mapped)) = shown.and_then(|field| rules.mapping[kind].fields.get_key_value(&field)) {
        let property = Shown::of(&mapped.property).clipped(NAME_COLUMNS).to_string();
        let says = "the property shows what is tracked in Clockify: that goes into the page alone, and what somebody else \
                    wrote there waits for a person";
        add(vec![format!("mapping.{}.{field}", kind.plural())], property, says);
    }
    match (change.cause, rule.filter(|_| shown.is_none())) {
        (Cause::Drift, Some(rule)) => add(
            of_field("on_drift"),
            word(rule.on_drift),
            "\"review\" asks a person, \"restore\" writes Notion's value again, \"accept\" leaves both as they are",
        ),
        (Cause::Conflict, Some(rule)) => add(
            of_field("on_conflict"),
            word(rule.on_conflict),
            "\"review\" asks a person, \"notion\" writes Notion's value into Clockify, \"clockify\" writes Clockify's into the page",
        ),
        (Cause::ToNotion, Some(_)) => add(
            of_field("direction").into_iter().take(1).collect(),
            word(Direction::ToNotion),
            "Clockify's value is written into the page, whichever side was edited; \"to_clockify\" mirrors Notion",
        ),
        (Cause::Unmanaged, _) => add(
            vec!["rules.unmanaged".to_owned()],
            word(Unmanaged::Close),
            "a person is asked whether to close it; \"notice\" only mentions it, \"ignore\" says nothing",
        ),
        (Cause::Misfiled, _) => add(
            vec!["rules.hours.refile".to_owned()],
            word(rules.refile),
            "a person is asked whether the time goes here; with \"never\" it is not asked for",
        ),
        _ => {}
    }
    if change.proposal.action == Action::Close && change.cause == Cause::NotionChanged {
        let closed = rules.mapping[kind].closed.as_ref().map_or_else(String::new, |when| when.property.clone());
        let closed = Shown::of(&closed).clipped(NAME_COLUMNS).to_string();
        add(vec![format!("mapping.{}.closed.property", kind.plural())], closed, "it says which pages are closed");
    }
    if let Some((field, value)) = field.and_then(|field| rules.mapping[kind].fixed.get_key_value(&field)) {
        let value = value.to_raw().shown().to_string();
        add(vec![format!("mapping.{}.fields.{field}", kind.plural())], value, "it says what every page is to have");
    }
    if let Some(hold) = &change.hold {
        match hold.code {
            HoldCode::Brake => {
                if let Some(class) = change.brake_class() {
                    let brake = rules.brakes.of(class);
                    let value = format!("{} or {} %", brake.count, brake.percent);
                    add(
                        vec![format!("brakes.{}.count", class.word()), format!("brakes.{}.percent", class.word())],
                        value,
                        "beyond it the whole class is withheld; a person can release it for one run",
                    );
                }
            }
            HoldCode::NoParent if kind == Kind::Project => add(
                vec!["rules.projects.without_client".to_owned()],
                word(rules.without_client),
                "\"hold\" waits until it has a client, \"mirror\" mirrors it without one",
            ),
            HoldCode::NameTaken if kind == Kind::Task => add(
                vec!["rules.tasks.same_name".to_owned()],
                word(rules.same_name),
                "\"hold\" asks for another name, \"add_date\" calls the task by the day on which its page was created",
            ),
            HoldCode::ParentClosed => add(
                vec!["rules.close_children".to_owned()],
                rules.close_children.to_string(),
                "with true, what stands below a closed page is closed along with it",
            ),
            _ => {}
        }
    }
    match change.policy(&rules.thresholds) {
        _ if change.cause == Cause::Unfinished => {
            add(Vec::new(), "approved".to_owned(), "it completes what was approved, whatever is configured");
        }
        Some((name, threshold)) => {
            let (value, needs) = match threshold {
                Threshold::At(least) => (least.to_string(), format!("{least} % or more is applied without a person")),
                Threshold::Never => ("never".to_owned(), "it is always left to a person".to_owned()),
            };
            let comes_to = match change.state {
                State::Ready => "so that it is ready",
                State::Review if threshold.admits(change.proposal.confidence) => match &second {
                    Some(_) => "but it needs two persons",
                    None => "but it needs something that is for review",
                },
                State::Review => "so that it is for review",
                State::Held => "but it is held",
            };
            let says = format!("{needs}; this is {} %, {comes_to}", change.proposal.confidence);
            add(vec![format!("rules.thresholds.{name}")], value, &says);
        }
        None => add(Vec::new(), "never".to_owned(), "it is always left to a person, whatever is configured"),
    }
    if let Some((key, value)) = second {
        add(vec![format!("rules.four_eyes.{key}")], value, "one person alone does not decide it, nor does policy");
    }
    rulings
}

fn word(value: impl Into<&'static str>) -> String {
    value.into().to_owned()
}
