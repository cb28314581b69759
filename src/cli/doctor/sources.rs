//! What the doctor asks of each helpdesk: its tickets, its custom fields, and whether the rules fit them.

use std::sync::Arc;

use crate::{
    adapters::{
        feishu::{
            client::Client,
            helpdesk::{Helpdesk, TicketQuery},
        },
        rulebook::{load::load_dir, names::Definition},
        store::definitions::Definitions,
    },
    app::{
        config::{setup::Setup, sources::Source},
        fields,
    },
    cli::doctor::finding::Finding,
    domain::{fault::Fault, labels::Caption, text::Message},
};

/// What came of looking at the sources.
#[derive(Debug, Default)]
pub struct Looked {
    /// What was found.
    pub findings: Vec<Finding>,
    /// Faults of the rules that only the definitions show.
    pub faults: Vec<Fault>,
}

/// Each source, and the rules against all their custom fields.
pub async fn look(client: &Client, setup: &Setup) -> Looked {
    let mut looked = Looked::default();
    let mut definitions = Vec::new();
    let mut to_store = Definitions::new();
    let mut all_known = true;
    for source in setup.sources.values() {
        let helpdesk = Helpdesk::new(client.clone(), &source.helpdesk);
        looked.findings.push(tickets(&helpdesk, source).await);
        let name = &source.name;
        match helpdesk.ticket_fields().await {
            Ok(read) => {
                let read = fields::to_store(&read);
                let found = fields::definitions(name, &read);
                looked.findings.extend(labels(source, &found));
                definitions.extend(found);
                to_store.insert(name.clone(), read);
            }
            Err(error) => {
                all_known = false;
                let what =
                    Message::new(format!("数据源 {name} 的自定义字段"), format!("the custom fields of source {name}"));
                looked.findings.push(Finding::ill(&what, &error.message()));
            }
        }
    }
    if all_known {
        fields::store(&setup.store.path, &to_store);
    }
    if all_known && let Some(dir) = &setup.rules_dir {
        let mut names = setup.names.clone();
        names.fields = Some(definitions);
        let (_, faults) = load_dir(dir, &names);
        if faults.is_empty() {
            looked
                .findings
                .push(Finding::well("规则用到的字段和选项都在", "the rules' fields and options are all there"));
        }
        looked.faults = faults;
    }
    looked
}

async fn tickets(helpdesk: &Helpdesk, source: &Source) -> Finding {
    let name = &source.name;
    let one = TicketQuery { page_size: Some(1), ..TicketQuery::default() };
    match helpdesk.list(&one).await {
        Ok(page) => {
            let total = page.total;
            Finding::well(
                format!("数据源 {name}：能读工单（共 {total} 张）"),
                format!("source {name}: tickets can be read ({total} in all)"),
            )
        }
        Err(error) => {
            let what = Message::new(format!("数据源 {name} 的工单"), format!("the tickets of source {name}"));
            Finding::ill(&what, &error.message())
        }
    }
}

/// The fields that hold subject and priority.
fn labels(source: &Source, definitions: &[Definition]) -> Vec<Finding> {
    let captions = source.labels.subject.iter().filter_map(|caption| match caption {
        Caption::Field(name) => Some(name),
        Caption::FirstGuestMessage => None,
    });
    let named: Vec<&Arc<str>> = captions.chain(&source.labels.priority).collect();
    let missing = named
        .into_iter()
        .filter(|name| !definitions.iter().any(|field| field.display_name == ***name || field.key_name == ***name));
    let source = &source.name;
    missing
        .map(|field| {
            Finding::ill(
                &Message::new(
                    format!("数据源 {source} 的 subject、priority"),
                    format!("subject and priority of source {source}"),
                ),
                &Message::new(
                    format!("没有叫“{field}”的字段；deskbell fields 列出全部"),
                    format!("there is no field \"{field}\"; deskbell fields lists them all"),
                ),
            )
        })
        .collect()
}
