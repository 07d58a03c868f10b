"""Accounts and audit of MLPS level 3"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


# The audit is appended, never changed. Deleting is for what is older than six months (MLPS), by the clock of
# the database itself. A later migration that rebuilds one of the two tables has to make them anew.
_KEPT_DAYS = 183
_TRIGGERS = {
    'sqlite': [
        statement
        for table, moment in (('audit_entries', 'at'), ('audit_seals', 'sealed_at'))
        for statement in (
            f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
            f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} "
            f"WHEN OLD.{moment} > strftime('%Y-%m-%d %H:%M:%f', 'now', '-{_KEPT_DAYS} days') "
            "BEGIN SELECT RAISE(ABORT, 'the audit is kept for six months'); END",
        )
    ],
    'postgresql': [
        "CREATE FUNCTION linli_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'the audit is append-only, and kept for six months' "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$",
        *(
            statement
            for table, moment in (('audit_entries', 'at'), ('audit_seals', 'sealed_at'))
            for statement in (
                f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION linli_audit_refuse()",
                f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} FOR EACH ROW "
                f"WHEN (OLD.{moment} > now() - interval '{_KEPT_DAYS} days') "
                "EXECUTE FUNCTION linli_audit_refuse()",
                f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION linli_audit_refuse()",
            )
        ),
    ],
}
_UNDONE = {
    'sqlite': [
        f"DROP TRIGGER {table}_{kind}"
        for table in ('audit_entries', 'audit_seals')
        for kind in ('unchanged', 'kept')
    ],
    'postgresql': [
        *(
            f"DROP TRIGGER {table}_{kind} ON {table}"
            for table in ('audit_entries', 'audit_seals')
            for kind in ('unchanged', 'kept', 'whole')
        ),
        "DROP FUNCTION linli_audit_refuse()",
    ],
}


def upgrade() -> None:
    op.create_table('audit_seals',
    sa.Column('seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('entry_id', sa.Integer(), nullable=False),
    sa.Column('previous', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('algorithm', sa.String(length=16), nullable=False),
    sa.Column('sealed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_audit_seals')),
    sa.UniqueConstraint('entry_id', name=op.f('uq_audit_seals_entry_id'))
    )
    op.create_table('lock_outs',
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('last_failed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('locked_until', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_lock_outs'))
    )
    with op.batch_alter_table('lock_outs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_lock_outs_last_failed_at'), ['last_failed_at'], unique=False)

    op.create_table('passkey_challenges',
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_passkey_challenges'))
    )
    with op.batch_alter_table('passkey_challenges', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_passkey_challenges_expires_at'), ['expires_at'], unique=False)

    op.create_table('phone_codes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('phone_hash', sa.String(length=64), nullable=False),
    sa.Column('purpose', sa.String(length=16), nullable=False),
    sa.Column('code_hash', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_phone_codes'))
    )
    with op.batch_alter_table('phone_codes', schema=None) as batch_op:
        batch_op.create_index('ix_phone_codes_phone', ['phone_hash', 'created_at'], unique=False)

    op.create_table('passkeys',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('credential_id', sa.String(length=1400), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('sign_count', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_passkeys_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_passkeys')),
    sa.UniqueConstraint('credential_id', name=op.f('uq_passkeys_credential_id'))
    )
    with op.batch_alter_table('passkeys', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_passkeys_user_id'), ['user_id'], unique=False)

    op.create_table('recovery_codes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('code_hash', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_recovery_codes_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_codes')),
    sa.UniqueConstraint('code_hash', name=op.f('uq_recovery_codes_code_hash'))
    )
    with op.batch_alter_table('recovery_codes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_recovery_codes_user_id'), ['user_id'], unique=False)

    op.create_table('sign_in_sessions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('method', sa.String(length=32), nullable=False),
    sa.Column('device', sa.String(length=80), nullable=False),
    sa.Column('device_hash', sa.String(length=64), nullable=False),
    sa.Column('new_device', sa.Boolean(), nullable=False),
    sa.Column('address', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('end_reason', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_sign_in_sessions_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in_sessions')),
    sa.UniqueConstraint('digest', name=op.f('uq_sign_in_sessions_digest'))
    )
    with op.batch_alter_table('sign_in_sessions', schema=None) as batch_op:
        batch_op.create_index('ix_sign_in_sessions_user', ['user_id', 'ended_at'], unique=False)

    op.create_table('staff_invitations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('note', sa.LargeBinary(), nullable=True),
    sa.Column('region_id', sa.Integer(), nullable=False),
    sa.Column('role', sa.String(length=32), nullable=True),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('invited_by', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['region_id'], ['regions.id'], name=op.f('fk_staff_invitations_region_id_regions')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_staff_invitations_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_invitations')),
    sa.UniqueConstraint('digest', name=op.f('uq_staff_invitations_digest'))
    )
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.create_index('ix_audit_action', ['action', 'id'], unique=False)
        batch_op.create_index('ix_audit_user', ['user_id', 'id'], unique=False)

    # Added one by one: a rebuilt table (batch mode) would lose what refers to it on SQLite. The defaults
    # let the release before this one go on writing.
    moment = sa.DateTime(timezone=True)
    for table, column in (
        ('role_grants', sa.Column('valid_from', moment, nullable=True)),
        ('role_grants', sa.Column('valid_until', moment, nullable=True)),
        ('role_grants', sa.Column('granted_by', sa.Integer(), nullable=True)),
        ('role_grants', sa.Column('granted_at', moment, nullable=True)),
        ('users', sa.Column('display_name', sa.LargeBinary(), nullable=True)),
        ('users', sa.Column('region_id', sa.Integer(), nullable=True)),
        ('users', sa.Column('must_change_password', sa.Boolean(), nullable=False, server_default=sa.false())),
        ('users', sa.Column('password_changed_at', moment, nullable=True)),
        ('users', sa.Column('active_changed_at', moment, nullable=True)),
        ('users', sa.Column('disabled_reason', sa.String(length=16), nullable=False, server_default='')),
        ('users', sa.Column('totp_last_counter', sa.Integer(), nullable=True)),
        ('users', sa.Column('passkey_handle', sa.String(length=64), nullable=True)),
        ('users', sa.Column('unseen_session_id', sa.Integer(), nullable=True)),
    ):
        op.add_column(table, column)
    op.create_index('ix_users_passkey_handle', 'users', ['passkey_handle'], unique=True)
    op.execute(
        'UPDATE users SET region_id = (SELECT MIN(region_id) FROM role_grants WHERE role_grants.user_id = users.id)'
    )
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for statement in _UNDONE[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_index('ix_users_passkey_handle', 'users')
    for table, columns in (
        (
            'users',
            'unseen_session_id passkey_handle totp_last_counter disabled_reason active_changed_at '
            'password_changed_at must_change_password region_id display_name',
        ),
        ('role_grants', 'granted_at granted_by valid_until valid_from'),
    ):
        for column in columns.split():
            op.drop_column(table, column)
    op.drop_index('ix_audit_user', 'audit_entries')
    op.drop_index('ix_audit_action', 'audit_entries')
    op.drop_table('staff_invitations')
    with op.batch_alter_table('sign_in_sessions', schema=None) as batch_op:
        batch_op.drop_index('ix_sign_in_sessions_user')

    op.drop_table('sign_in_sessions')
    with op.batch_alter_table('recovery_codes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_recovery_codes_user_id'))

    op.drop_table('recovery_codes')
    with op.batch_alter_table('passkeys', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_passkeys_user_id'))

    op.drop_table('passkeys')
    with op.batch_alter_table('phone_codes', schema=None) as batch_op:
        batch_op.drop_index('ix_phone_codes_phone')

    op.drop_table('phone_codes')
    with op.batch_alter_table('passkey_challenges', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_passkey_challenges_expires_at'))

    op.drop_table('passkey_challenges')
    with op.batch_alter_table('lock_outs', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_lock_outs_last_failed_at'))

    op.drop_table('lock_outs')
    op.drop_table('audit_seals')
