# A PagerDuty service for the alerts of docs/samples/upcommerce.log: one page, one ticket, and the
# rest kept without a notification. It follows the documentation of provider 3.30. Its syntax and
# names were checked, but it was never applied.
#
# It expects the Events API v2 with these fields, so that rules match values and not text:
#   payload.class = alert name, payload.group = zone, dedup_key = zone/alert name
# An Alertmanager sends them with
#   pagerduty_configs:
#     - routing_key: ...
#       class: '{{ .CommonLabels.alertname }}'
#       group: '{{ .CommonLabels.zone }}'
#       severity: '{{ .CommonLabels.severity }}'
# on a route with group_by [alertname, zone]. It has a dedup_key of its own for each such group.

terraform {
  required_providers {
    pagerduty = {
      source  = "PagerDuty/pagerduty"
      version = "~> 3.30"
    }
  }
}

variable "escalation_policy" {
  description = "ID of the escalation policy that is paged."
  type        = string
}

variable "zones" {
  description = "Zones in which a failure supersedes the transient; each needs a cache variable of its own."
  type        = set(string)
  default     = ["AB", "OH-1", "XQ"]
}

variable "aiops" {
  description = "Whether the account has the AIOps add-on. Without it AB is several incidents."
  type        = bool
  default     = false
}

locals {
  # Upper rung or non-transient form => what it supersedes if it was seen in the last hour.
  supersedes = {
    EndpointRegistrationFailure = "EndpointRegistrationTransientFailure"
    LLMModelVeryStale           = "LLMModelStale"
  }
  # The name of a zone as part of the name of a cache variable.
  zones = { for zone in var.zones : lower(replace(zone, "-", "_")) => zone if var.aiops }
  superseded = merge([
    for key, zone in local.zones : {
      for upper, lower in local.supersedes : "${lower(upper)}_${key}" => { zone = zone, upper = upper, lower = lower }
    }
  ]...)
}

data "pagerduty_priority" "p1" { name = "P1" }
data "pagerduty_priority" "p2" { name = "P2" }
data "pagerduty_priority" "p3" { name = "P3" }
data "pagerduty_priority" "p4" { name = "P4" }

resource "pagerduty_service" "upcommerce" {
  name              = "UpCommerce registration and models"
  escalation_policy = var.escalation_policy
  alert_creation    = "create_alerts_and_incidents"

  # Critical and error page; warning and info are low urgency, which does not escalate.
  incident_urgency_rule {
    type    = "constant"
    urgency = "severity_based"
  }

  # The stream never reports an end, so no alert is resolved by a timeout either.
  auto_resolve_timeout = "null"
}

resource "pagerduty_event_orchestration_service" "upcommerce" {
  service                                = pagerduty_service.upcommerce.id
  enable_event_orchestration_for_service = true

  # The first rule that matches an event applies.
  set {
    id = "start"

    rule {
      label = "Lost capacity: page, P1"
      condition {
        expression = "event.class matches 'TooFewEndpointsRegistered'"
      }
      actions {
        severity = "critical"
        priority = data.pagerduty_priority.p1.id
        annotate = "Look for EndpointRegistrationFailure in the same zone first."
      }
    }

    # AIOps only: the lower alert is suppressed if the upper one was seen in its zone within the
    # last hour.
    dynamic "rule" {
      for_each = local.superseded
      content {
        label = "Superseded in ${rule.value.zone}: ${rule.value.lower}"
        condition {
          expression = join(" and ", [
            "event.class matches '${rule.value.lower}'",
            "event.group matches '${rule.value.zone}'",
            "cache_var.${rule.key} >= 1",
          ])
        }
        actions {
          suppress = true
        }
      }
    }

    rule {
      label = "Hard failures: page, P2"
      condition {
        expression = "event.class matches 'EndpointRegistrationFailure'"
      }
      condition {
        expression = "event.class matches 'LLMModelVeryStale'"
      }
      actions {
        severity = "error"
        priority = data.pagerduty_priority.p2.id
      }
    }

    # AIOps only: a transient that recurs in a zone is a low ticket.
    dynamic "rule" {
      for_each = local.zones
      content {
        label = "Recurring transient in ${rule.value}: low ticket, P4"
        condition {
          expression = join(" and ", [
            "event.class matches 'EndpointRegistrationTransientFailure'",
            "event.group matches '${rule.value}'",
            "cache_var.transients_${rule.key} >= 3",
          ])
        }
        actions {
          severity = "info"
          priority = data.pagerduty_priority.p4.id
        }
      }
    }

    # Suppressed alerts stay in the alerts table. Without AIOps they are not counted: review that
    # table once a week.
    rule {
      label = "Transient: kept, no incident"
      condition {
        expression = "event.class matches 'EndpointRegistrationTransientFailure'"
      }
      actions {
        suppress = true
      }
    }

    # Ten minutes for the job's own retry. If a resolve arrives in that time, there is no incident.
    # If the source sends none, as in the sample, this only delays the ticket.
    rule {
      label = "Batch failures: ticket after ten minutes, P3"
      condition {
        expression = "event.class matches 'LLMBatchProcessingJobFailures'"
      }
      actions {
        severity = "warning"
        priority = data.pagerduty_priority.p3.id
        suspend  = 600
      }
    }

    rule {
      label = "Stale model: ticket, P3"
      condition {
        expression = "event.class matches 'LLMModelStale'"
      }
      actions {
        severity = "warning"
        priority = data.pagerduty_priority.p3.id
      }
    }
  }

  # Any other alert keeps the fields that its source sent.
  catch_all {
    actions {}
  }
}

# The number of times that the upper rung was triggered in its zone in the last hour.
resource "pagerduty_event_orchestration_service_cache_variable" "superseding" {
  for_each = local.superseded

  service = pagerduty_service.upcommerce.id
  name    = each.key
  condition {
    expression = "event.class matches '${each.value.upper}' and event.group matches '${each.value.zone}'"
  }
  configuration {
    type        = "trigger_event_count"
    ttl_seconds = 3600
  }
}

resource "pagerduty_event_orchestration_service_cache_variable" "transients" {
  for_each = local.zones

  service = pagerduty_service.upcommerce.id
  name    = "transients_${each.key}"
  condition {
    expression = "event.class matches 'EndpointRegistrationTransientFailure' and event.group matches '${each.value}'"
  }
  configuration {
    type        = "trigger_event_count"
    ttl_seconds = 3600
  }
}

# AIOps only: alerts of one zone become one incident. The documentation does not answer whether a
# later P1 raises the priority of an incident that a P2 opened: try it before you rely on it.
resource "pagerduty_alert_grouping_setting" "zone" {
  count = var.aiops ? 1 : 0

  name     = "UpCommerce by zone"
  type     = "content_based"
  services = [pagerduty_service.upcommerce.id]
  config {
    aggregate   = "all"
    fields      = ["group"]
    time_window = 3600
  }
}
