//! Workspaces, the people in them, and what each may do.

use serde_json::{Value, json};

use super::{Answer, Body, Call, Outcome, Refusal};
use crate::sandbox::ids::ClockifyId;
use crate::sandbox::world::objects::Member;
use crate::sandbox::world::{ClockifyWorld, Project, Role};

/// Who is who.
impl Call<'_> {
    /// The user of the key. The workspaces that it is in are told only where they are asked for (Clockify docs).
    pub(super) fn current_user(&self) -> Outcome {
        let mut workspaces = self.world.workspaces_of(self.user).map(|(workspace, _)| workspace).peekable();
        let first = workspaces.peek().copied();
        let member = first.and_then(|workspace| workspace.members.iter().find(|member| member.id == self.user));
        let (Some(first), Some(member)) = (first, member) else {
            return Err(Refusal::denied());
        };
        let mut user = render_member(first, member);
        if self.flag("include-memberships")?.unwrap_or(false) {
            user["memberships"] = workspaces.map(|workspace| membership(workspace, self.user)).collect();
        }
        Ok(Answer::ok(user))
    }

    /// All workspaces, or those in which the key's user has one of the wanted roles; owners do not count as
    /// administrators (Clockify docs).
    pub(super) fn workspaces(&self) -> Value {
        let wanted: Vec<&str> = self.request.parameters("roles").flat_map(|value| value.split(',')).collect();
        let listed = self.world.workspaces_of(self.user).filter(|(_, role)| {
            let role = role.name().filter(|_| !self.knobs.member_key);
            wanted.is_empty() || role.is_some_and(|role| wanted.contains(&role))
        });
        listed.map(|(workspace, _)| render_workspace(workspace)).collect()
    }

    pub(super) fn workspace(&self) -> Value {
        render_workspace(&self.world.clockify)
    }

    /// The members; a plain member's key may see nobody but itself (code of clients), hence the knob.
    pub(super) fn list_members(&self) -> Outcome {
        let email = self.request.parameter("email").filter(|email| !email.is_empty());
        let named = self.name_filter(false)?;
        let alone = self.knobs.members_see_themselves && !self.sees_everything();
        let members = self.world.clockify.members.iter().filter(|member| {
            email.is_none_or(|email| member.email.contains(email))
                && named(&member.name)
                && (!alone || member.id == self.user)
        });
        self.page(members.map(|member| render_member(&self.world.clockify, member)).collect())
    }
}

/// What the key's user may see and do.
impl Call<'_> {
    /// A workspace that is unknown, and one that the user is not in, look the same (live probe, third party).
    pub(super) fn refuse_foreign(&self, workspace: &str) -> Result<(), Refusal> {
        let known = *workspace == self.world.workspace_id().to_string();
        if known && self.role().is_some() { Ok(()) } else { Err(Refusal::denied()) }
    }

    fn role(&self) -> Option<Role> {
        self.world.clockify.role_of(self.user)
    }

    pub(super) fn administers(&self) -> bool {
        self.role().is_some_and(Role::administers)
    }

    pub(super) fn sees_everything(&self) -> bool {
        self.administers() && !self.knobs.member_key
    }

    /// Whether the key sees a project: a member does not see those of others that are private.
    pub(super) fn sees(&self, project: &Project) -> bool {
        project.public || self.sees_everything() || self.is_member_of(project)
    }

    fn is_member_of(&self, project: &Project) -> bool {
        let own = self.user.to_string();
        project.memberships.iter().any(|member| member["userId"].as_str() == Some(own.as_str()))
    }

    /// Owners and administrators do everything; others create what the workspace's settings let them, and project
    /// managers edit their projects (Clockify help centre). Who may edit tasks is not documented: who may create them.
    pub(super) fn permit(&self, method: &str, rest: &[&str]) -> Result<(), Refusal> {
        let creation = &self.world.clockify.creation;
        let allowed = match (method, rest) {
            _ if self.administers() => true,
            ("GET", _) | (_, ["time-entries" | "user", ..]) => true,
            ("POST", ["clients" | "projects"]) => self.is_among(&creation.projects_and_clients),
            ("DELETE", _) => false,
            (_, ["projects", _, "tasks", ..]) => self.is_among(&creation.tasks),
            (_, ["projects", id, ..]) => self.manages(id) && !self.archives(),
            _ => false,
        };
        if allowed { Ok(()) } else { Err(Refusal::denied()) }
    }

    /// Whether the user belongs to those whom a setting names, and is no administrator.
    fn is_among(&self, named: &str) -> bool {
        named == "EVERYONE" || (named == "ADMINS_AND_PROJECT_MANAGERS" && self.role() == Some(Role::ProjectManager))
    }

    fn manages(&self, project: &str) -> bool {
        let project = ClockifyId::parse(project).and_then(|id| self.world.project(id));
        self.role() == Some(Role::ProjectManager) && project.is_some_and(|project| self.is_member_of(project))
    }

    fn archives(&self) -> bool {
        matches!(&self.request.body, Body::Json(body) if body["archived"] == true)
    }
}

fn render_member(workspace: &ClockifyWorld, member: &Member) -> Value {
    json!({
        "id": member.id, "name": member.name, "email": member.email,
        "activeWorkspace": workspace.workspace_id, "defaultWorkspace": workspace.workspace_id, "memberships": [],
        "profilePicture": "", "customFields": [], "status": "ACTIVE",
        "settings": {"timeZone": workspace.tracking.zone_name(), "weekStart": "MONDAY", "dateFormat": "DD/MM/YYYY"},
    })
}

/// Someone's place in a workspace; it does not tell the role.
fn membership(workspace: &ClockifyWorld, user: ClockifyId) -> Value {
    json!({
        "userId": user, "hourlyRate": null, "costRate": null, "targetId": workspace.workspace_id,
        "membershipType": "WORKSPACE", "membershipStatus": "ACTIVE",
    })
}

fn render_workspace(workspace: &ClockifyWorld) -> Value {
    let memberships = workspace.members.iter().map(|member| membership(workspace, member.id));
    json!({
        "id": workspace.workspace_id, "name": workspace.workspace_name,
        "currencies": [{"id": workspace.currency_id, "code": "EUR", "isDefault": true}],
        "featureSubscriptionType": workspace.plan, "features": [], "memberships": memberships.collect::<Vec<_>>(),
        "hourlyRate": {"amount": 0, "currency": "EUR"}, "costRate": null, "imageUrl": "",
        "subdomain": {"name": null, "enabled": false},
        "workspaceSettings": {
            "entityCreationPermissions": {
                "whoCanCreateProjectsAndClients": workspace.creation.projects_and_clients,
                "whoCanCreateTags": "ADMINS", "whoCanCreateTasks": workspace.creation.tasks,
            },
            "defaultBillableProjects": workspace.projects_billable,
            "isProjectPublicByDefault": workspace.projects_public,
            "forceProjects": workspace.tracking.force_projects, "forceTasks": workspace.tracking.force_tasks,
            "timeRoundingInReports": workspace.tracking.rounding.is_some(),
            "round": workspace.tracking.rounding.as_ref().map(|(minutes, way)| {
                json!({"minutes": minutes.to_string(), "round": way})
            }),
            "projectGroupingLabel": "client",
        },
    })
}
