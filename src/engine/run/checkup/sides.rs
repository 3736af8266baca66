//! Both services: who we are there, what we may do, and where the rows are.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::{Gathered, Installation};
use crate::{
    domain::{
        checkup::{Account, Check, CheckCode, Lookalike, Rights, budget, lookalikes, rights},
        model::{Kind, PerKind, Service},
        rules::{IdStrategy, Mapping},
        text::Shown,
    },
    edge::{
        clockify::{self, Clockify},
        notion::{self, FoundSource, Notion, Source},
        origin::Origin,
        store::Store,
    },
    engine::{
        connect::Clients,
        failure::Code,
        session::{Established, IDENTITIES, Identities, SOURCES, SessionError, Sides, same_workspace, told_workspace},
    },
};

/// What was found out about both sides.
#[derive(Default)]
pub(super) struct Found {
    notion: Option<notion::Identity>,
    sources: PerKind<Option<Source>>,
    clockify: Option<clockify::Identity>,
}

impl Found {
    /// The workspace of Clockify, where it was found.
    pub(super) fn workspace(&self) -> Option<&str> {
        self.clockify.as_ref().map(|identity| identity.workspace_id.as_str())
    }

    /// What a run needs to read both sides, where all of it was found.
    pub(super) fn established(self) -> Option<Established> {
        let PerKind { clients: Some(clients), projects: Some(projects), tasks: Some(tasks) } = self.sources else {
            return None;
        };
        let sources = PerKind { clients, projects, tasks };
        let notion::Identity { workspace_id: notion_workspace, workspace_name: notion_name, .. } = self.notion?;
        Some(Established { notion_workspace, notion_name, sources, identity: self.clockify? })
    }
}

/// What a run remembers of the last one.
#[derive(Default)]
struct Known {
    sources: PerKind<Option<Source>>,
    identities: Option<Identities>,
}

impl Installation {
    /// Asks both services, at the same time, as far as there are clients.
    pub(super) async fn check_sides(&self, clients: &Clients, store: Option<&Store>, found: &mut Gathered) -> Found {
        let mut known = Known::default();
        if let Some(store) = store {
            known.sources = store.recall(SOURCES).await.ok().flatten().unwrap_or_default();
            known.identities = store.recall(IDENTITIES).await.ok().flatten();
        }
        let notion = async {
            match &clients.notion {
                Some(notion) => Some(self.check_notion(notion, &known).await),
                None => None,
            }
        };
        let clockify = async {
            match &clients.clockify {
                Some(clockify) => Some(self.check_clockify(clockify, known.identities.as_ref()).await),
                None => None,
            }
        };
        let (notion, clockify) = tokio::join!(notion, clockify);
        let mut both = Found::default();
        if let Some((gathered, of_notion)) = notion {
            found.join(gathered);
            (both.notion, both.sources) = (of_notion.notion, of_notion.sources);
        }
        if let Some((gathered, identity)) = clockify {
            found.join(gathered);
            both.clockify = identity;
        }
        both
    }

    async fn check_notion(&self, notion: &Notion, known: &Known) -> (Gathered, Found) {
        let (mut gathered, mut found) = (Gathered::default(), Found::default());
        let places = &self.settings.places;
        let pinned = known.identities.as_ref();
        let identity = notion.identity().await.map_err(SessionError::from).and_then(|identity| {
            let workspace_id = told_workspace(pinned, identity.workspace_id.clone())?;
            Ok(notion::Identity { workspace_id, ..identity })
        });
        match identity {
            Ok(identity) => {
                let what = if identity.is_person { "the person" } else { "the connection" };
                let (name, workspace) = (&identity.name, &identity.workspace_name);
                gathered.add(Account { service: Service::Notion, name, what, workspace }.told());
                found.notion = Some(identity);
            }
            Err(error) => gathered.failed(error, places),
        }
        answered(&mut gathered, CheckCode::NotionReached, Service::Notion, &self.settings.notion.base_url);
        if found.notion.is_none() {
            return (gathered, found);
        }
        let candidates = notion.find_sources(None).await.map(|(found, _)| found);
        let shown = candidates.as_deref().unwrap_or_default();
        let kinds = Kind::ALL.map(|kind| async move {
            let reference = self.settings.notion.data_sources[kind]?.to_string();
            Some((kind, notion.current_source(kind, &reference, known.sources[kind].as_ref(), shown).await))
        });
        for (kind, found_source) in join_all(kinds).await.into_iter().flatten() {
            match found_source {
                Ok(source) => {
                    for check in self.mapped(kind, &source) {
                        gathered.add(check);
                    }
                    found.sources[kind] = Some(source);
                }
                Err(error) => gathered.failed(error.into(), places),
            }
        }
        match &candidates {
            Ok(candidates) => self.look_for_copies(&found.sources, candidates, &mut gathered),
            Err(error) => gathered.add(Check::skip(CheckCode::Copies, error.to_string())),
        }
        self.check_relations(notion, &found.sources, &mut gathered);
        (gathered, found)
    }

    /// The data source of a kind, and the properties that are mapped, with their types.
    fn mapped(&self, kind: Kind, source: &Source) -> [Check; 2] {
        let key = format!("notion.{}.data_source", kind.plural());
        let place = || super::fault::place_of(&key, &self.settings.places);
        let title = source.title.shown().clipped(60);
        let mapping = &self.settings.rules.mapping[kind];
        let names = names(mapping, self.settings.rules.id_strategy);
        let typed = |name: &&str| {
            let property = source.property(name)?;
            Some(format!("{} ({})", property.name.shown().clipped(40), Shown::of(&property.kind)))
        };
        let titled = source.properties.iter().find(|property| property.kind == "title");
        let titled = titled.map(|property| format!("{} (title)", property.name.shown().clipped(40)));
        let properties: Vec<String> = titled.into_iter().chain(names.iter().filter_map(typed)).collect();
        [
            Check::ok(CheckCode::Databases, format!("{}: “{title}”", kind.plural())).at(place()),
            Check::ok(CheckCode::Properties, format!("{}: {}", kind.plural(), properties.join(", "))).at(place()),
        ]
    }

    fn look_for_copies(&self, sources: &PerKind<Option<Source>>, shown: &[FoundSource], gathered: &mut Gathered) {
        let look = |candidate: &FoundSource| Lookalike {
            id: candidate.source.data_source,
            title: candidate.source.title.clone(),
            properties: properties(&candidate.source),
            created: candidate.created,
        };
        let configured: BTreeSet<_> =
            sources.iter().filter_map(|(_, source)| Some(source.as_ref()?.data_source)).collect();
        let (meant, others): (Vec<Lookalike>, Vec<Lookalike>) =
            shown.iter().map(look).partition(|look| configured.contains(&look.id));
        for (kind, source) in sources.iter() {
            let Some(source) = source else { continue };
            let Some(this) = meant.iter().find(|look| look.id == source.data_source) else { continue };
            for check in lookalikes(kind, this, &others) {
                let place = super::fault::place_of(check.text.as_str(), &self.settings.places);
                gathered.add(check.at(place));
            }
        }
        if meant.is_empty() && !configured.is_empty() {
            gathered.add(Check::skip(CheckCode::Copies, "Notion's search shows none of the data sources"));
        } else if !gathered.has(CheckCode::Copies) {
            gathered.add(Check::ok(CheckCode::Copies, "no data source looks like a newer copy of one of these"));
        }
    }

    fn check_relations(&self, notion: &Notion, sources: &PerKind<Option<Source>>, gathered: &mut Gathered) {
        let PerKind { clients: Some(clients), projects: Some(projects), tasks: Some(tasks) } = sources.clone() else {
            return;
        };
        let sources = PerKind { clients, projects, tasks };
        for kind in Kind::ALL {
            let Some(because) = notion.unshared_parents(kind, &sources) else { continue };
            let key = format!("notion.{}.data_source", kind.plural());
            let mend = format!(
                "let the relation of {} lead to the database that is configured, or configure the one that it leads to, and share it with \
                 the connection: open it in Notion, ••• → Connections",
                kind.plural()
            );
            let place = super::fault::place_of(&key, &self.settings.places);
            gathered.add(Check::fail(CheckCode::Relations, because, mend).at(place));
        }
        if !gathered.has(CheckCode::Relations) {
            gathered
                .add(Check::ok(CheckCode::Relations, "tasks lead to these projects, and projects to these clients"));
        }
    }

    async fn check_clockify(
        &self,
        clockify: &Clockify,
        pinned: Option<&Identities>,
    ) -> (Gathered, Option<clockify::Identity>) {
        let mut gathered = Gathered::default();
        let settings = &self.settings.clockify;
        let pinned = pinned.map(|identities| identities.clockify.as_str());
        let identity = clockify.identity(settings.workspace.as_deref()).await.map_err(SessionError::from);
        let identity = identity
            .and_then(|identity| same_workspace(Service::Clockify, pinned, &identity.workspace_id).map(|()| identity));
        let identity = identity.map_err(|error| gathered.failed(error, &self.settings.places)).ok();
        answered(&mut gathered, CheckCode::ClockifyReached, Service::Clockify, &settings.base_url);
        let Some(identity) = identity else { return (gathered, None) };
        let (name, workspace) = (&identity.user_name, &identity.workspace_name);
        gathered.add(Account { service: Service::Clockify, name, what: "the person", workspace }.told());
        gathered.add(match clockify.is_admin(&identity.workspace_id).await {
            Ok(is_admin) => rights(Rights { is_admin, everyone_creates: identity.everyone_creates }),
            Err(failure) => {
                Check::warn(CheckCode::ClockifyRights, format!("it could not be found out: {failure}"), failure.hint())
            }
        });
        let per_hour = settings.requests_per_hour.map(std::num::NonZeroU32::get);
        let place = super::fault::place_of("clockify.requests_per_hour", &self.settings.places);
        gathered.add(budget(&identity.plan, &identity.workspace_id, per_hour).at(place));
        (gathered, Some(identity))
    }
}

/// Says of a service that it was reached, where nothing speaks against it.
fn answered(gathered: &mut Gathered, code: CheckCode, service: Service, url: &url::Url) {
    if gathered.has(code) {
        return;
    }
    let host = url.host_str().map(Shown::of).unwrap_or_default();
    // It has not been asked at all then.
    let is_left_alone = gathered.faults.iter().any(|fault| fault.code == Code::OutOfBudget);
    gathered.add(if is_left_alone {
        Check::skip(code, format!("{service} was not asked: no request is left for now"))
    } else {
        Check::ok(code, format!("{service} answers at {host}"))
    });
}

fn properties(source: &Source) -> BTreeSet<(crate::domain::text::Raw, String)> {
    source.properties.iter().map(|property| (property.name.clone(), property.kind.clone())).collect()
}

/// The properties that are mapped besides the title.
fn names(mapping: &Mapping, strategy: IdStrategy) -> Vec<&str> {
    let id = Some(mapping.id.as_str()).filter(|_| strategy == IdStrategy::Property);
    let relations = [&mapping.parent, &mapping.parent_from].into_iter().filter_map(Option::as_deref);
    let conditions = [&mapping.closed, &mapping.only].into_iter().flatten().map(|is| is.property.as_str());
    let fields = mapping.fields.values().map(|mapped| mapped.property.as_str());
    let told = mapping.sync_status.values().map(String::as_str);
    let mut names: Vec<&str> = Vec::new();
    for name in id.into_iter().chain(relations).chain(conditions).chain(fields).chain(told) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// How far our clock is ahead of each service's, by its last answer.
pub(super) fn ahead(clients: &Clients, now: Timestamp) -> Vec<(Service, SignedDuration)> {
    let notion = clients.notion.as_ref().map(|notion| (Service::Notion, notion.http()));
    let clockify = clients.clockify.as_ref().map(|clockify| (Service::Clockify, clockify.http()));
    let told = [notion, clockify].into_iter().flatten();
    told.filter_map(|(service, http)| Some((service, now.duration_since(http.server_time()?)))).collect()
}

/// Whether the connection may write pages.
pub(super) async fn check_notion_rights(
    notion: &Notion,
    sides: &Sides,
    places: &BTreeMap<String, Origin>,
    gathered: &mut Gathered,
) {
    let code = CheckCode::NotionRights;
    let mut pages = Kind::ALL.into_iter().flat_map(|kind| sides.snapshots.pages[kind].rows());
    let Some(page) = pages.next() else {
        return gathered.add(Check::skip(code, "there is no page yet to ask with whether pages may be written"));
    };
    let mend = "let the connection update content: www.notion.so/profile/integrations → the connection → Capabilities";
    let place = super::fault::place_of("notion.token", places);
    match notion.may_update(page.id).await {
        Ok(Some(true)) => gathered.add(Check::ok(code, "pages can be read, and writing them is not refused")),
        Ok(Some(false)) => {
            gathered
                .add(Check::fail(code, "notion.token may not write pages: no ID can be kept in them", mend).at(place));
        }
        Ok(None) => {
            gathered.add(Check::warn(code, "whether pages may be written could not be found out", mend).at(place));
        }
        Err(error) => gathered.failed(error.into(), places),
    }
}
