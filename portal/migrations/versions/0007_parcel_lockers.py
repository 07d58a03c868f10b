"""Parcel lockers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('courier_accesses',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('community_id', sa.Integer(), nullable=False),
    sa.Column('company', sa.String(length=16), nullable=False),
    sa.Column('code_hash', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.Integer(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['community_id'], ['regions.id'], name=op.f('fk_courier_accesses_community_id_regions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_courier_accesses')),
    sa.UniqueConstraint('code_hash', name=op.f('uq_courier_accesses_code_hash'))
    )
    with op.batch_alter_table('courier_accesses', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_courier_accesses_community_id'), ['community_id'], unique=False)

    op.create_table('meal_arrivals',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('community_id', sa.Integer(), nullable=False),
    sa.Column('resident_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.String(length=80), nullable=False),
    sa.Column('courier_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('cleared_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['community_id'], ['regions.id'], name=op.f('fk_meal_arrivals_community_id_regions')),
    sa.ForeignKeyConstraint(['courier_id'], ['courier_accesses.id'], name=op.f('fk_meal_arrivals_courier_id_courier_accesses')),
    sa.ForeignKeyConstraint(['resident_id'], ['residents.id'], name=op.f('fk_meal_arrivals_resident_id_residents')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_meal_arrivals'))
    )
    with op.batch_alter_table('meal_arrivals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_meal_arrivals_community_id'), ['community_id'], unique=False)
        batch_op.create_index('ix_meal_arrivals_resident', ['resident_id', 'expires_at'], unique=False)

    op.create_table('locker_compartments',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('device_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('size', sa.String(length=1), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('fault', sa.String(length=16), nullable=False),
    sa.Column('fault_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('door_open', sa.Boolean(), nullable=False),
    sa.Column('sensed', sa.Boolean(), nullable=True),
    sa.Column('moved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checked_fault', sa.String(length=16), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['device_id'], ['devices.id'], name=op.f('fk_locker_compartments_device_id_devices')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_locker_compartments')),
    sa.UniqueConstraint('device_id', 'number', name=op.f('uq_locker_compartments_device_id'))
    )
    with op.batch_alter_table('locker_compartments', schema=None) as batch_op:
        batch_op.create_index('ix_locker_compartments_free', ['device_id', 'state', 'size'], unique=False)

    op.create_table('parcels',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('community_id', sa.Integer(), nullable=False),
    sa.Column('resident_id', sa.Integer(), nullable=False),
    sa.Column('dwelling_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.String(length=8), nullable=False),
    sa.Column('device_id', sa.Integer(), nullable=True),
    sa.Column('compartment_id', sa.Integer(), nullable=True),
    sa.Column('shelf_label', sa.String(length=8), nullable=False),
    sa.Column('size', sa.String(length=1), nullable=False),
    sa.Column('company', sa.String(length=16), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('fault', sa.String(length=16), nullable=False),
    sa.Column('taker', sa.String(length=8), nullable=False),
    sa.Column('opening', sa.String(length=64), nullable=True),
    sa.Column('deadline', sa.DateTime(timezone=True), nullable=True),
    sa.Column('courier_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('stored_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('extended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('extensions', sa.Integer(), nullable=False),
    sa.Column('reminders', sa.Integer(), nullable=False),
    sa.Column('reminded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['community_id'], ['regions.id'], name=op.f('fk_parcels_community_id_regions')),
    sa.ForeignKeyConstraint(['compartment_id'], ['locker_compartments.id'], name=op.f('fk_parcels_compartment_id_locker_compartments')),
    sa.ForeignKeyConstraint(['courier_id'], ['courier_accesses.id'], name=op.f('fk_parcels_courier_id_courier_accesses')),
    sa.ForeignKeyConstraint(['device_id'], ['devices.id'], name=op.f('fk_parcels_device_id_devices')),
    sa.ForeignKeyConstraint(['dwelling_id'], ['dwellings.id'], name=op.f('fk_parcels_dwelling_id_dwellings')),
    sa.ForeignKeyConstraint(['resident_id'], ['residents.id'], name=op.f('fk_parcels_resident_id_residents')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_parcels'))
    )
    with op.batch_alter_table('parcels', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_parcels_community_id'), ['community_id'], unique=False)
        batch_op.create_index('ix_parcels_compartment', ['compartment_id', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_parcels_courier_id'), ['courier_id'], unique=False)
        batch_op.create_index('ix_parcels_deadline', ['state', 'deadline'], unique=False)
        batch_op.create_index('ix_parcels_due', ['state', 'due_at'], unique=False)
        batch_op.create_index('ix_parcels_recipient', ['resident_id', 'state'], unique=False)

    op.create_table('compartment_openings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('transaction', sa.String(length=64), nullable=False),
    sa.Column('compartment_id', sa.Integer(), nullable=False),
    sa.Column('parcel_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('reason', sa.String(length=32), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('occupied', sa.Boolean(), nullable=True),
    sa.ForeignKeyConstraint(['compartment_id'], ['locker_compartments.id'], name=op.f('fk_compartment_openings_compartment_id_locker_compartments')),
    sa.ForeignKeyConstraint(['parcel_id'], ['parcels.id'], name=op.f('fk_compartment_openings_parcel_id_parcels')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_compartment_openings')),
    sa.UniqueConstraint('transaction', name=op.f('uq_compartment_openings_transaction'))
    )
    with op.batch_alter_table('compartment_openings', schema=None) as batch_op:
        batch_op.create_index('ix_compartment_openings_open', ['compartment_id', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_compartment_openings_parcel_id'), ['parcel_id'], unique=False)

    op.create_table('pickup_codes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('parcel_id', sa.Integer(), nullable=False),
    sa.Column('shared', sa.Boolean(), nullable=False),
    sa.Column('label', sa.LargeBinary(), nullable=False),
    sa.Column('code', sa.LargeBinary(), nullable=False),
    sa.Column('code_hash', sa.String(length=64), nullable=False),
    sa.Column('token', sa.LargeBinary(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['parcel_id'], ['parcels.id'], name=op.f('fk_pickup_codes_parcel_id_parcels')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pickup_codes')),
    sa.UniqueConstraint('code_hash', name=op.f('uq_pickup_codes_code_hash')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_pickup_codes_token_hash'))
    )
    with op.batch_alter_table('pickup_codes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pickup_codes_parcel_id'), ['parcel_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('pickup_codes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_pickup_codes_parcel_id'))

    op.drop_table('pickup_codes')
    with op.batch_alter_table('compartment_openings', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_compartment_openings_parcel_id'))
        batch_op.drop_index('ix_compartment_openings_open')

    op.drop_table('compartment_openings')
    with op.batch_alter_table('parcels', schema=None) as batch_op:
        batch_op.drop_index('ix_parcels_recipient')
        batch_op.drop_index('ix_parcels_due')
        batch_op.drop_index('ix_parcels_deadline')
        batch_op.drop_index(batch_op.f('ix_parcels_courier_id'))
        batch_op.drop_index('ix_parcels_compartment')
        batch_op.drop_index(batch_op.f('ix_parcels_community_id'))

    op.drop_table('parcels')
    with op.batch_alter_table('locker_compartments', schema=None) as batch_op:
        batch_op.drop_index('ix_locker_compartments_free')

    op.drop_table('locker_compartments')
    with op.batch_alter_table('meal_arrivals', schema=None) as batch_op:
        batch_op.drop_index('ix_meal_arrivals_resident')
        batch_op.drop_index(batch_op.f('ix_meal_arrivals_community_id'))

    op.drop_table('meal_arrivals')
    with op.batch_alter_table('courier_accesses', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_courier_accesses_community_id'))

    op.drop_table('courier_accesses')
