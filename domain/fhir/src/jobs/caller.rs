//! A caller as a job keeps it: the rights that the work was asked for with.

use crate::access::{Caller, RequestOrigin};
use crate::json::{Json, JsonObject, array};
use crate::types::TenantId;

/// Writes a caller; the tenant is the job's own.
#[must_use]
pub fn caller_to_json(caller: &Caller) -> Json {
    let mut members: JsonObject = [
        ("account", Json::from(caller.account.clone())),
        ("display", caller.display.clone().into()),
        ("roles", array(caller.roles.iter().map(ToString::to_string))),
        ("request", caller.request.id.clone().into()),
    ]
    .into_iter()
    .collect();
    if let Some(address) = caller.request.address {
        members.insert("address", address.to_string().as_str());
    }
    for (name, id) in [("practitioner", &caller.practitioner), ("patient", &caller.patient)] {
        if let Some(id) = id {
            members.insert(name, id.as_str());
        }
    }
    members.into()
}

/// Reads a caller back; a role that is not known any more gives no right.
#[must_use]
pub fn caller_from_json(tenant: TenantId, json: &Json) -> Caller {
    let text = |name: &str| json.get_str(name).unwrap_or_default().into();
    let id = |name: &str| json.get_str(name).and_then(|id| id.parse().ok());
    let roles = json.get("roles").map_or(&[][..], Json::items);
    Caller {
        tenant,
        account: text("account"),
        display: text("display"),
        roles: roles.iter().filter_map(|role| role.as_str()?.parse().ok()).collect(),
        practitioner: id("practitioner"),
        patient: id("patient"),
        request: RequestOrigin {
            id: text("request"),
            address: json.get_str("address").and_then(|address| address.parse().ok()),
        },
    }
}
