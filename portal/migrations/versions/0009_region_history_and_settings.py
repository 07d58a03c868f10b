"""Region history, settings and uploads; grids of dwellings"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('region_history',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('region_id', sa.Integer(), nullable=False),
    sa.Column('change', sa.String(length=16), nullable=False),
    sa.Column('from_code', sa.String(length=16), nullable=False),
    sa.Column('to_code', sa.String(length=16), nullable=False),
    sa.Column('from_name', sa.String(length=80), nullable=False),
    sa.Column('to_name', sa.String(length=80), nullable=False),
    sa.Column('from_uscc', sa.String(length=18), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('counts', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['region_id'], ['regions.id'], name=op.f('fk_region_history_region_id_regions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_region_history'))
    )
    with op.batch_alter_table('region_history', schema=None) as batch_op:
        batch_op.create_index('ix_region_history_region', ['region_id', 'id'], unique=False)
        batch_op.create_index('ix_region_history_from_code', ['from_code'], unique=False)
        batch_op.create_index('ix_region_history_from_uscc', ['from_uscc'], unique=False)

    op.create_table('region_settings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('region_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('value', sa.JSON(), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('set_by', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['region_id'], ['regions.id'], name=op.f('fk_region_settings_region_id_regions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_region_settings')),
    sa.UniqueConstraint('region_id', 'key', name=op.f('uq_region_settings_region_id'))
    )
    op.create_table('region_uploads',
    sa.Column('token', sa.String(length=43), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('community_id', sa.Integer(), nullable=True),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('applied_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('result', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['community_id'], ['regions.id'], name=op.f('fk_region_uploads_community_id_regions')),
    sa.PrimaryKeyConstraint('token', name=op.f('pk_region_uploads'))
    )
    with op.batch_alter_table('region_uploads', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_region_uploads_created_at'), ['created_at'], unique=False)

    with op.batch_alter_table('regions', schema=None) as batch_op:
        batch_op.create_index('ix_regions_name', ['name'], unique=False)

    # A nullable column: the release before this one goes on writing dwellings without it. SQLite would
    # copy the table for a constraint, and residencies point at it: there the column brings its own.
    if op.get_bind().dialect.name == 'sqlite':
        op.execute(
            'ALTER TABLE dwellings ADD COLUMN grid_id INTEGER '
            'CONSTRAINT fk_dwellings_grid_id_regions REFERENCES regions (id)'
        )
    else:
        op.add_column('dwellings', sa.Column('grid_id', sa.Integer(), nullable=True))
        op.create_foreign_key(op.f('fk_dwellings_grid_id_regions'), 'dwellings', 'regions', ['grid_id'], ['id'])
    op.create_index(op.f('ix_dwellings_grid_id'), 'dwellings', ['grid_id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_dwellings_grid_id'), table_name='dwellings')
    if op.get_bind().dialect.name != 'sqlite':
        op.drop_constraint(op.f('fk_dwellings_grid_id_regions'), 'dwellings', type_='foreignkey')
    op.drop_column('dwellings', 'grid_id')

    with op.batch_alter_table('regions', schema=None) as batch_op:
        batch_op.drop_index('ix_regions_name')

    with op.batch_alter_table('region_uploads', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_region_uploads_created_at'))

    op.drop_table('region_uploads')
    op.drop_table('region_settings')
    with op.batch_alter_table('region_history', schema=None) as batch_op:
        batch_op.drop_index('ix_region_history_from_uscc')
        batch_op.drop_index('ix_region_history_from_code')
        batch_op.drop_index('ix_region_history_region')

    op.drop_table('region_history')
