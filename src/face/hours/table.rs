//! Hours as tables for others: CSV, Markdown, HTML. What the services hold is text there, and nothing else.

use super::lines::{clock, differs_rounded, period_of, put};
use crate::{
    domain::{
        hours::document::{Document, NodeDocument, Totals},
        model::Kind,
        text::Shown,
    },
    face::cell::cell,
};

/// A row: the client, the project and the task, and what is said of it.
struct TableRow<'a> {
    names: [&'a str; 3],
    node: &'a NodeDocument,
}

/// All nodes, parents first.
fn rows(document: &Document) -> Vec<TableRow<'_>> {
    fn walk<'a>(nodes: &'a [NodeDocument], above: [&'a str; 3], level: usize, rows: &mut Vec<TableRow<'a>>) {
        for node in nodes {
            let mut names = above;
            names[level] = node.name.as_str();
            rows.push(TableRow { names, node });
            walk(node.children(), names, level + 1, rows);
        }
    }
    let mut all = Vec::new();
    walk(&document.clients, [""; 3], 0, &mut all);
    all
}

/// A row for each node; times in seconds, and nothing where one cannot be told.
pub(super) fn csv(document: &Document) -> String {
    let mut text = "from,to,timezone,kind,client,project,task,clockify_id,page_id,tracked_s,billable_s,unapproved_s,\
                    uninvoiced_s,planned_s,total_s,rounded_s,rounded_billable_s\r\n"
        .to_owned();
    let number = |seconds: Option<u64>| seconds.map(|seconds| seconds.to_string()).unwrap_or_default();
    for TableRow { names, node } in rows(document) {
        let figures = node.figures;
        let of =
            [document.from.to_string(), document.to.to_string(), cell(&document.timezone), node.kind().to_string()];
        let ids = [&node.clockify_id, &node.page_id].map(|id| id.clone().unwrap_or_default());
        let times = [
            figures.tracked_s,
            figures.billable_s,
            figures.unapproved_s,
            figures.uninvoiced_s,
            node.planned_s,
            node.total_s,
            figures.rounded_s,
            figures.rounded_billable_s,
        ];
        let cells = of.into_iter().chain(names.map(cell)).chain(ids).chain(times.map(number));
        text.push_str(&cells.collect::<Vec<_>>().join(","));
        text.push_str("\r\n");
    }
    text
}

fn time(seconds: Option<u64>) -> String {
    seconds.map(clock).unwrap_or_default()
}

/// A heading, the findings and a table.
pub(super) fn markdown(document: &Document) -> String {
    let mut text = format!("# Hours of {}\n\nDays in {}.\n\n", period_of(document), escaped(&document.timezone));
    for finding in &document.findings {
        put(&mut text, format_args!("- **{}** {} (`{}`)\n", finding.severity, escaped(&finding.text), finding.id));
    }
    let with_rounded = differs_rounded(document);
    let (heads, edges) = if with_rounded { (" rounded | billable |", "--:|--:|") } else { ("", "") };
    put(
        &mut text,
        format_args!(
            "\n| client | project | task | tracked | billable |{heads} planned | in all |\n\
             |---|---|---|--:|--:|{edges}--:|--:|\n"
        ),
    );
    let rounded = |figures: Totals| {
        if !with_rounded {
            return String::new();
        }
        format!(" {} | {} |", time(figures.rounded_s), time(figures.rounded_billable_s))
    };
    for TableRow { names, node } in rows(document) {
        let own = names.map(|name| if name == node.name.as_str() { escaped(name) } else { String::new() });
        let [client, project, task] = match node.kind() {
            Kind::Client => [escaped(names[0]), String::new(), String::new()],
            Kind::Project => [String::new(), escaped(names[1]), String::new()],
            Kind::Task => [String::new(), String::new(), own[2].clone()],
        };
        let (tracked, billable) = (time(node.figures.tracked_s), time(node.figures.billable_s));
        let (planned, total) = (time(node.planned_s), time(node.total_s));
        put(
            &mut text,
            format_args!(
                "| {client} | {project} | {task} | {tracked} | {billable} |{} {planned} | {total} |\n",
                rounded(node.figures)
            ),
        );
    }
    let (tracked, billable) = (time(document.totals.tracked_s), time(document.totals.billable_s));
    let rounded = rounded(document.totals);
    put(&mut text, format_args!("| **Total** | | | **{tracked}** | **{billable}** |{rounded} | |\n"));
    if let Some(rounding) = rounding(document) {
        put(&mut text, format_args!("\n{}\n", escaped(&rounding)));
    }
    text.push_str(&unavailable(document));
    text
}

/// What rounded times are, where there are any.
fn rounding(document: &Document) -> Option<String> {
    let rounding = document.rounding.filter(|_| differs_rounded(document))?;
    Some(format!("Rounded: in reports the workspace rounds each entry {rounding}."))
}

fn unavailable(document: &Document) -> String {
    if document.unavailable.is_empty() {
        return String::new();
    }
    format!("\nNot available: {}.\n", document.unavailable.join(", "))
}

/// Text that Markdown takes for text.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in Shown::of(text).chars() {
        if c.is_ascii_punctuation() && !matches!(c, ',' | '.' | ':' | ';' | '(' | ')' | '/' | '\'' | '"' | '%') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A page that needs nothing else.
pub(super) fn html(document: &Document) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Hours of {period}</title>\n<style>\
         body{{font:14px system-ui,sans-serif;margin:2em}}table{{border-collapse:collapse}}td,th{{padding:.2em .8em;\
         border-bottom:1px solid #ddd;text-align:left}}td.n{{text-align:right;font-variant-numeric:tabular-nums}}\
         tr.client td{{font-weight:bold}}tr.project td:first-child{{padding-left:2em}}tr.task td:first-child\
         {{padding-left:3.5em}}.error{{color:#b00}}.warning{{color:#960}}</style></head><body>\n\
         <h1>Hours of {period}</h1>\n<p>Days in {zone}.</p>\n",
        period = entity(&period_of(document)),
        zone = entity(&document.timezone),
    );
    if !document.findings.is_empty() {
        text.push_str("<ul>\n");
        for finding in &document.findings {
            let (severity, said, id) = (entity(&finding.severity), entity(&finding.text), entity(&finding.id));
            put(&mut text, format_args!("<li><b class=\"{severity}\">{severity}</b> {said} <code>{id}</code></li>\n"));
        }
        text.push_str("</ul>\n");
    }
    let with_rounded = differs_rounded(document);
    let heads = if with_rounded { "<th>rounded</th><th>billable</th>" } else { "" };
    put(
        &mut text,
        format_args!(
            "<table><tr><th></th><th>tracked</th><th>billable</th>{heads}<th>planned</th><th>in all</th></tr>\n"
        ),
    );
    let row = |class: &str, name: &str, figures: Totals, of_plan: [Option<u64>; 2]| {
        let rounded = [figures.rounded_s, figures.rounded_billable_s].into_iter().filter(|_| with_rounded);
        let times = [figures.tracked_s, figures.billable_s].into_iter().chain(rounded).chain(of_plan);
        let times = times.map(|seconds| format!("<td class=\"n\">{}</td>", time(seconds)));
        let times = times.collect::<Vec<_>>().concat();
        format!("<tr class=\"{class}\"><td>{}</td>{times}</tr>\n", entity(name))
    };
    for TableRow { node, .. } in rows(document) {
        text.push_str(&row(node.kind().word(), &node.name, node.figures, [node.planned_s, node.total_s]));
    }
    text.push_str(&row("client", "Total", document.totals, [None; 2]));
    text.push_str("</table>\n");
    if let Some(rounding) = rounding(document) {
        put(&mut text, format_args!("<p>{}</p>\n", entity(&rounding)));
    }
    if !document.unavailable.is_empty() {
        put(&mut text, format_args!("<p>Not available: {}.</p>\n", entity(&document.unavailable.join(", "))));
    }
    text.push_str("</body></html>\n");
    text
}

/// Text that HTML takes for text.
fn entity(text: &str) -> String {
    let mut escaped = String::new();
    for c in Shown::of(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_services_hold_is_text_and_nothing_else() {
        assert_eq!(escaped("a|b *c* <d> [e](f) `g` \u{202E}"), "a\\|b \\*c\\* \\<d\\> \\[e\\](f) \\`g\\` ⟨U\\+202E⟩");
        assert_eq!(entity("<script>\"&'\n"), "&lt;script&gt;&quot;&amp;&#39;⏎");
    }
}
