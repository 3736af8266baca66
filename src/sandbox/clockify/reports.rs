//! Reports: summary by client, project, task, user or time; detailed.

use std::collections::BTreeMap;

use jiff::civil::Weekday;
use serde_json::{Value, json};

use super::{Answer, Call, Outcome, Refusal, window::Window};
use crate::sandbox::world::TimeEntry;

/// The most entries of one page of a detailed report (Clockify help centre).
const DETAILED_PAGE_MAX: usize = 1000;

/// A value that entries are grouped by: ID and name; the name decides the order.
type Group = (Option<String>, String);

/// An entry with the seconds that a report counts of it.
type Counted<'a> = (&'a TimeEntry, i64);

impl Call<'_> {
    pub(super) fn route_report(&mut self) -> Outcome {
        let segments: Vec<&str> = self.request.segments.iter().map(String::as_str).collect();
        let ["v1", "workspaces", workspace, "reports", report] = segments.as_slice() else {
            return Err(Refusal::no_route(&self.request.path));
        };
        self.refuse_foreign(workspace)?;
        match (self.request.method.as_str(), *report) {
            ("POST", "summary") => self.summary(),
            ("POST", "detailed") => self.detailed(),
            (_, "summary" | "detailed") => Err(self.wrong_method()),
            _ => Err(Refusal::no_route(&self.request.path)),
        }
    }

    /// Finished entries that start in the window and pass the filters, each with its seconds: rounded, if that is asked
    /// for, entry by entry (Clockify help centre).
    fn reported(&self, body: &Value, window: &Window) -> Result<Vec<Counted<'_>>, Refusal> {
        let clockify = &self.world.clockify;
        window.fits_plan(&clockify.plan)?;
        let state = |key: &str, yes: &str, no: &str| match body[key].as_str() {
            None | Some("ALL") => Ok(None),
            // Both belong to paid plans (Clockify docs); how they are refused on the Free plan is not documented.
            Some(_) if clockify.plan == "FREE" => Err(Refusal::denied()),
            Some(state) if state == yes => Ok(Some(true)),
            Some(state) if state == no => Ok(Some(false)),
            Some(other) => Err(Refusal::unparsable(&format!("`{key}` from {other}"))),
        };
        let approved = state("approvalState", "APPROVED", "UNAPPROVED")?;
        let invoiced = state("invoicingState", "INVOICED", "UNINVOICED")?;
        let billable = body["billable"].as_bool();
        let passes = |key: &str, id: Option<String>| {
            let ids = body[key]["ids"].as_array().filter(|ids| !ids.is_empty());
            let contains = body[key]["contains"] != "DOES_NOT_CONTAIN";
            ids.is_none_or(|ids| ids.contains(&json!(id)) == contains)
        };
        let entries = clockify.entries.values().filter(|entry| {
            let project = entry.project.and_then(|id| self.world.project(id));
            let client = project.and_then(|project| project.client);
            entry.end.is_some()
                && window.holds(entry.start)
                // A plain member sees what it has tracked itself (Clockify docs).
                && (self.sees_everything() || entry.user == self.user)
                && approved.is_none_or(|wanted| entry.approved == wanted)
                && invoiced.is_none_or(|wanted| entry.invoiced == wanted)
                && billable.is_none_or(|wanted| entry.billable == wanted)
                && passes("clients", client.map(|id| id.to_string()))
                && passes("projects", entry.project.map(|id| id.to_string()))
                && passes("tasks", entry.task.map(|id| id.to_string()))
                && passes("users", Some(entry.user.to_string()))
        });
        let is_rounded = body["rounding"] == true;
        // Rounding belongs to paid plans (Clockify help centre); how it is refused on the Free plan is not documented.
        if is_rounded && clockify.plan == "FREE" {
            return Err(Refusal::denied());
        }
        let seconds = |entry: &TimeEntry| match entry.seconds() {
            seconds if is_rounded => clockify.tracking.rounded(seconds),
            seconds => seconds,
        };
        Ok(entries.map(|entry| (entry, seconds(entry))).collect())
    }

    fn summary(&self) -> Outcome {
        let body = self.body()?;
        let window = Window::of_report(body, self.world.clockify.tracking.zone())?;
        let entries = self.reported(body, &window)?;
        let groups = body["summaryFilter"]["groups"].as_array().into_iter().flatten();
        let groups: Vec<&str> = groups.filter_map(Value::as_str).collect();
        if groups.is_empty() || groups.len() > 3 {
            return Err(Refusal::rule("You entered invalid value for field: [summaryFilter.groups]"));
        }
        let known = ["CLIENT", "PROJECT", "TASK", "USER", "DATE", "WEEK", "MONTH", "TIMEENTRY"];
        if let Some(unknown) = groups.iter().find(|group| !known.contains(group)) {
            return Err(Refusal::unparsable(&format!("`groups` from {unknown}")));
        }
        Ok(Answer::ok(json!({
            "totals": [totals(&entries)],
            "groupOne": self.grouped(&entries, &groups, &window),
        })))
    }

    fn grouped(&self, entries: &[Counted<'_>], groups: &[&str], window: &Window) -> Vec<Value> {
        let Some((first, rest)) = groups.split_first() else {
            return Vec::new();
        };
        let mut members: BTreeMap<(String, Option<String>), Vec<Counted<'_>>> = BTreeMap::new();
        for entry in entries {
            let (id, name) = self.group(entry.0, first, window);
            members.entry((name, id)).or_default().push(*entry);
        }
        let row = |((name, id), members): ((String, Option<String>), Vec<Counted<'_>>)| {
            let seconds: i64 = members.iter().map(|(_, seconds)| seconds).sum();
            let mut row = json!({
                "_id": id, "name": name, "nameLowerCase": name.to_lowercase(), "duration": seconds,
                "amount": 0, "color": "", "clientName": "",
            });
            let project = members.first().and_then(|(entry, _)| entry.project).and_then(|id| self.world.project(id));
            if let (true, Some(project)) = (*first == "PROJECT", project) {
                let client = project.client.and_then(|id| self.world.client(id));
                row["color"] = json!(project.color);
                row["clientName"] = json!(client.map(|client| client.name.as_str()).unwrap_or_default());
            }
            if !rest.is_empty() {
                row["children"] = Value::Array(self.grouped(&members, rest, window));
            }
            row
        };
        members.into_iter().map(row).collect()
    }

    fn group(&self, entry: &TimeEntry, by: &str, window: &Window) -> Group {
        let project = entry.project.and_then(|id| self.world.project(id));
        let named = |found: Option<(String, String)>, nothing: &str| match found {
            Some((id, name)) => (Some(id), name),
            None => (None, nothing.to_owned()),
        };
        match by {
            "CLIENT" => {
                let client = project.and_then(|project| project.client).and_then(|id| self.world.client(id));
                named(client.map(|client| (client.id.to_string(), client.name.clone())), "(Without client)")
            }
            "PROJECT" => {
                named(project.map(|project| (project.id.to_string(), project.name.clone())), "(Without project)")
            }
            "TASK" => {
                let task = entry.task.and_then(|id| self.world.task(id));
                named(task.map(|task| (task.id.to_string(), task.name.clone())), "(Without task)")
            }
            "USER" => {
                let user = self.world.clockify.tracker(entry.user);
                named(user.map(|user| (user.id.to_string(), user.name.clone())), "")
            }
            "TIMEENTRY" => (Some(entry.id.to_string()), entry.description.clone()),
            by => {
                let day = window.day(entry.start);
                let date = match by {
                    "MONTH" => day.strftime("%Y-%m").to_string(),
                    "WEEK" if day.weekday() != Weekday::Monday => {
                        day.nth_weekday(-1, Weekday::Monday).map_or_else(|_| day.to_string(), |day| day.to_string())
                    }
                    _ => day.to_string(),
                };
                (Some(date.clone()), date)
            }
        }
    }

    fn detailed(&self) -> Outcome {
        let body = self.body()?;
        let window = Window::of_report(body, self.world.clockify.tracking.zone())?;
        let mut entries = self.reported(body, &window)?;
        entries.sort_unstable_by_key(|(entry, _)| std::cmp::Reverse((entry.start, entry.id)));
        let filter = &body["detailedFilter"];
        let number = |key: &str, default: usize| {
            filter[key].as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or(default).max(1)
        };
        let (page, size) = (number("page", 1), number("pageSize", 50));
        if size > DETAILED_PAGE_MAX {
            return Err(Refusal::rule("Page size cannot be larger than 1,000."));
        }
        let totals = totals(&entries);
        let rows = entries.into_iter().skip((page - 1).saturating_mul(size)).take(size);
        let rows: Vec<Value> = rows.map(|entry| self.detailed_row(entry, &window)).collect();
        Ok(Answer::ok(json!({"totals": [totals], "timeentries": rows})))
    }

    fn detailed_row(&self, (entry, seconds): Counted<'_>, window: &Window) -> Value {
        // This host answers with the offset of the report's zone (live probe, third party).
        let local = |instant: jiff::Timestamp| {
            instant.to_zoned(window.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
        };
        let (project_id, project) = self.group(entry, "PROJECT", window);
        let (client_id, client) = self.group(entry, "CLIENT", window);
        let (task_id, task) = self.group(entry, "TASK", window);
        let (user_id, user) = self.group(entry, "USER", window);
        let email = self.world.clockify.tracker(entry.user);
        json!({
            "_id": entry.id, "description": entry.description, "billable": entry.billable, "tags": [],
            "locked": self.world.clockify.tracking.locks(entry),
            "approvalRequestId": entry.approved.then_some("64c777ddd3fcab07cfbb210c"),
            "userId": user_id, "userName": user, "userEmail": email.map(|member| &member.email),
            "projectId": project_id, "projectName": project_id.is_some().then_some(project),
            "clientId": client_id, "clientName": client_id.is_some().then_some(client),
            "taskId": task_id, "taskName": task_id.is_some().then_some(task),
            "timeInterval": {
                "start": local(entry.start),
                "end": entry.end.map(local),
                "duration": seconds,
            },
        })
    }
}

fn totals(entries: &[Counted<'_>]) -> Value {
    let seconds: i64 = entries.iter().map(|(_, seconds)| seconds).sum();
    let billable = entries.iter().filter(|(entry, _)| entry.billable);
    let billable: i64 = billable.map(|(_, seconds)| seconds).sum();
    json!({
        "_id": "", "totalTime": seconds, "totalBillableTime": billable, "entriesCount": entries.len(),
        "totalAmount": null,
    })
}
