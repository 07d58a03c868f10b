"""The workbench: claims, decisions, reviews of refusals, faults of devices"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('device_faults',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('device_id', sa.Integer(), nullable=False),
    sa.Column('community_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('verdict', sa.String(length=16), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['community_id'], ['regions.id'], name=op.f('fk_device_faults_community_id_regions')),
    sa.ForeignKeyConstraint(['device_id'], ['devices.id'], name=op.f('fk_device_faults_device_id_devices')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_device_faults'))
    )
    op.create_index('ix_device_faults_queue', 'device_faults', ['community_id', 'ended_at'], unique=False)
    op.create_index(
        'uq_device_faults_open', 'device_faults', ['device_id', 'kind'], unique=True,
        postgresql_where=sa.text('ended_at IS NULL'), sqlite_where=sa.text('ended_at IS NULL'),
    )
    op.create_table('passage_reviews',
    sa.Column('passage_id', sa.Integer(), nullable=False),
    sa.Column('last_passage_id', sa.Integer(), nullable=False),
    sa.Column('community_id', sa.Integer(), nullable=False),
    sa.Column('verdict', sa.String(length=16), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('reviewed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reviewed_by', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['community_id'], ['regions.id'], name=op.f('fk_passage_reviews_community_id_regions')),
    sa.ForeignKeyConstraint(['passage_id'], ['passages.id'], name=op.f('fk_passage_reviews_passage_id_passages')),
    sa.PrimaryKeyConstraint('passage_id', name=op.f('pk_passage_reviews'))
    )
    op.create_index('ix_passage_reviews_recent', 'passage_reviews', ['community_id', 'reviewed_at'], unique=False)
    op.create_index(
        'ix_passages_refused', 'passages', ['community_id', 'decided_at'], unique=False,
        postgresql_where=sa.text("outcome = 'refuse'"), sqlite_where=sa.text("outcome = 'refuse'"),
    )
    op.create_table('work_claims',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('item_id', sa.Integer(), nullable=False),
    sa.Column('region_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['region_id'], ['regions.id'], name=op.f('fk_work_claims_region_id_regions')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_work_claims_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_work_claims')),
    sa.UniqueConstraint('kind', 'item_id', name=op.f('uq_work_claims_kind'))
    )
    op.create_table('work_decisions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('item_id', sa.Integer(), nullable=False),
    sa.Column('region_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('choice', sa.String(length=24), nullable=False),
    sa.Column('undoable', sa.Boolean(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['region_id'], ['regions.id'], name=op.f('fk_work_decisions_region_id_regions')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_work_decisions_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_work_decisions'))
    )
    op.create_index('ix_work_decisions_own', 'work_decisions', ['user_id', 'decided_at'], unique=False)
    # Devices that are away already have no event to come that would say so.
    op.execute(sa.text(
        "INSERT INTO device_faults (device_id, community_id, kind, since, verdict, note) "
        "SELECT id, community_id, 'offline', status_at, '', '' FROM devices "
        "WHERE NOT online AND status_at IS NOT NULL AND retired_at IS NULL"
    ))


def downgrade() -> None:
    op.drop_table('work_decisions')
    op.drop_table('work_claims')
    op.drop_index('ix_passages_refused', table_name='passages')
    op.drop_table('passage_reviews')
    op.drop_table('device_faults')
