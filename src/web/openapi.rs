//! The reference of the admin API: made from the handlers and their documents, so that it cannot say anything else.

use serde_json::{Value, json};
use utoipa::{
    OpenApi, PartialSchema, ToSchema,
    openapi::{
        Content, Ref, RefOr, ResponseBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::web::{acts::IDEMPOTENCY_KEY, admin, operators, problem::Problem, tokens::Scope};

/// What the bearer token is called in the reference.
const TOKEN: &str = "token";

/// What all requests have in common.
#[derive(OpenApi)]
#[openapi(info(
    title = "deskbell",
    description = "What operators and their programs ask of deskbell, and do. Instants are milliseconds since the Unix \
                   epoch, sentences stand in both languages."
))]
struct Common;

/// The reference as it is served and stored.
pub fn document() -> Value {
    let mut all = Common::openapi();
    all.info.version = env!("CARGO_PKG_VERSION").to_string();
    let reads = admin::reads().into_openapi().merge_from(operators::reads().into_openapi());
    let acts = admin::acts().into_openapi().merge_from(operators::acts().into_openapi());
    for (mut part, scope) in [(reads, Scope::Read), (acts, Scope::Act)] {
        part.paths.paths.values_mut().flat_map(operations).for_each(|operation| complete(operation, scope));
        all.merge(part);
    }
    let components = all.components.get_or_insert_default();
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let scheme = scheme.description(Some("A token of `server.api_tokens` (its scope decides), or `server.api_token`"));
    components.add_security_scheme(TOKEN, SecurityScheme::Http(scheme.build()));
    serde_json::to_value(&all).unwrap_or_else(|error| json!({ "error": error.to_string() }))
}

/// The requests that are answered, each with its scope: for the documents.
pub fn requests() -> Vec<(String, String, Scope)> {
    let document = document();
    let mut requests = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let scope = operation["security"][0][TOKEN][0].as_str();
            let scope = Scope::ALL.into_iter().find(|known| Some(known.name()) == scope).unwrap_or(Scope::Act);
            requests.push((method.to_uppercase(), path.clone(), scope));
        }
    }
    requests
}

fn operations(item: &mut utoipa::openapi::PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.delete].into_iter().flatten()
}

/// What every operation of a scope has: its token, how a repeat is told, how it fails.
fn complete(operation: &mut Operation, scope: Scope) {
    operation.security = Some(vec![SecurityRequirement::new(TOKEN, [scope.name()])]);
    if scope == Scope::Act {
        operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
    }
    let problem = Content::new(Some(RefOr::Ref(Ref::from_schema_name(Problem::name()))));
    let failed = ResponseBuilder::new()
        .description(
            "Why it is not done: 400 and 422 the request, 401 and 403 the token, 404, 409, 503 busy or stopping",
        )
        .content("application/json", problem)
        .build();
    operation.responses.responses.insert("default".to_string(), RefOr::T(failed));
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name(IDEMPOTENCY_KEY)
        .parameter_in(ParameterIn::Header)
        .required(utoipa::openapi::Required::False)
        .description(Some("The same key on the same request is the same deed: it is done once"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_request_has_a_name_of_its_own_a_summary_and_a_scope() {
        let document = document();
        let mut names = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap_or_default();
                assert!(!name.is_empty() && names.insert(name.to_string()), "{method} {path}: {name}");
                let summary = operation["summary"].as_str().unwrap_or_default();
                assert!(summary.ends_with('.') || summary.ends_with(':'), "{method} {path}: {summary}");
                let scope = operation["security"][0][TOKEN][0].as_str().unwrap();
                let reads = method == "get" || path == "/api/v1/lookup";
                assert_eq!(scope, if reads { "read" } else { "act" }, "{method} {path}");
            }
        }
        assert!(names.len() > 15);
    }
}
