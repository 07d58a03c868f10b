"""Vehicles; hashes and indexes that staff's search needs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'vehicles',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('community_id', sa.Integer(), nullable=False),
        sa.Column('dwelling_id', sa.Integer(), nullable=False),
        sa.Column('resident_id', sa.Integer(), nullable=False),
        sa.Column('plate', sa.LargeBinary(), nullable=False),
        sa.Column('plate_hash', sa.String(length=64), nullable=False),
        sa.Column('plate_class', sa.String(length=16), nullable=False),
        sa.Column('kind', sa.String(length=16), nullable=False),
        sa.Column('brand', sa.String(length=30), nullable=False),
        sa.Column('colour', sa.String(length=16), nullable=False),
        sa.Column('belongs', sa.String(length=16), nullable=False),
        sa.Column('state', sa.String(length=16), nullable=False),
        sa.Column('registered_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('decided_by', sa.Integer(), nullable=True),
        sa.Column('decision_note', sa.String(length=200), nullable=False),
        sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['community_id'], ['regions.id'], name=op.f('fk_vehicles_community_id_regions')),
        sa.ForeignKeyConstraint(['dwelling_id'], ['dwellings.id'], name=op.f('fk_vehicles_dwelling_id_dwellings')),
        sa.ForeignKeyConstraint(['resident_id'], ['residents.id'], name=op.f('fk_vehicles_resident_id_residents')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_vehicles')),
    )
    op.create_index('ix_vehicles_dwelling_id', 'vehicles', ['dwelling_id'])
    op.create_index('ix_vehicles_plate', 'vehicles', ['plate_hash'])
    op.create_index('ix_vehicles_queue', 'vehicles', ['community_id', 'state'])
    op.create_index('ix_vehicles_resident_id', 'vehicles', ['resident_id'])
    op.create_index(
        'uq_vehicles_verified',
        'vehicles',
        ['community_id', 'plate_hash'],
        unique=True,
        sqlite_where=sa.text("state = 'verified'"),
        postgresql_where=sa.text("state = 'verified'"),
    )
    # Nullable: the release before this one goes on writing rows without them, and the keys that make the
    # hashes are not at hand here. The worker fills them in.
    op.add_column('residents', sa.Column('name_hash', sa.String(length=64), nullable=True))
    op.add_column('invitations', sa.Column('visitor_phone_hash', sa.String(length=64), nullable=True))
    op.create_index('ix_residents_name', 'residents', ['name_hash'])
    op.create_index('ix_residents_find_phone', 'residents', ['phone_hash'])
    op.create_index('ix_invitations_phone', 'invitations', ['visitor_phone_hash'])
    op.create_index('ix_dwellings_number', 'dwellings', ['community_id', 'number'])


def downgrade() -> None:
    op.drop_index('ix_dwellings_number', table_name='dwellings')
    op.drop_index('ix_invitations_phone', table_name='invitations')
    op.drop_index('ix_residents_find_phone', table_name='residents')
    op.drop_index('ix_residents_name', table_name='residents')
    # In place, not as a batch: SQLite copies the table for that, and others refer to its rows.
    op.drop_column('invitations', 'visitor_phone_hash')
    op.drop_column('residents', 'name_hash')
    op.drop_table('vehicles')
