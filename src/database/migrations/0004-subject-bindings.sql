-- Which subjects of authorization servers are which debtors. In a schema of its own, which the Python program never looks
-- at; there is no foreign key to debtor, so that debtors are deleted as before by either program.

create schema swpt_debtors_auth;

create table swpt_debtors_auth.subject_binding (
  issuer text not null,
  subject text not null,
  debtor_id bigint not null,
  bound_at timestamptz not null,
  is_provisioned boolean not null,       -- by the first request of the subject, and not by an operator
  primary key (issuer, subject)
);
create index subject_binding_debtor_id on swpt_debtors_auth.subject_binding (debtor_id);
create index subject_binding_provisioned on swpt_debtors_auth.subject_binding (bound_at) where is_provisioned;

-- Who bound or unbound what, when and why. Rows are only ever added.
create table swpt_debtors_auth.subject_binding_event (
  event_id bigint generated always as identity primary key,
  occurred_at timestamptz not null,
  action text not null check (action in ('bind', 'unbind', 'provision')),
  issuer text not null,
  subject text not null,
  debtor_id bigint not null,
  reason text
);
create index subject_binding_event_subject on swpt_debtors_auth.subject_binding_event (issuer, subject);
