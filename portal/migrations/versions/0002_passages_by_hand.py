"""Passages that staff recorded by hand"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A nullable column: the release before this one goes on writing passages without it.
    with op.batch_alter_table('passages', schema=None) as batch_op:
        batch_op.add_column(sa.Column('by_hand', sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('passages', schema=None) as batch_op:
        batch_op.drop_column('by_hand')
